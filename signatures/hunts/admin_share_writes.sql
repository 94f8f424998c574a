-- title: Files written to administrative shares
-- why: PsExec and its kin copy a program to ADMIN$ or C$ and start it by the service manager's pipe.
-- attack: T1021.002, T1570, T1569.002
-- read: One row per client, server, share and file. Programs (exe, dll, ps1, bat) and pipes such as
--   svcctl or atsvc shortly after are the signature; software deployment does it from one known host.
SELECT src_ip, dst_ip, "user", tree, path, action, pipe_service, count(*) AS operations,
       sum(bytes) AS bytes, min(ts) AS first_ts, max(ts) AS last_ts
FROM smb
WHERE (regexp_like(upper(tree), '\\(ADMIN|[A-Z])\$$')
       AND action IN ('create', 'overwrite', 'write', 'rename', 'delete'))
   OR pipe_service IN ('svcctl', 'atsvc', 'winreg', 'IObjectExporter', 'ITaskSchedulerService')
GROUP BY src_ip, dst_ip, "user", tree, path, action, pipe_service
ORDER BY src_ip, dst_ip, first_ts, tree, path, action
