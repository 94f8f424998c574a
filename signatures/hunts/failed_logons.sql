-- title: Logons that fail again and again
-- why: Guessing and spraying show as failures: one account many times, or many accounts once each.
-- attack: T1110.001, T1110.003
-- param failures integer 10: fewest failures of a client
-- read: Many users with few failures each is spraying; one user with many is guessing or a service
--   with an old password, which fails at a steady rhythm and never stops. A server says so over SMB;
--   a remote desktop counts as failed where no desktop followed the handshake.
WITH failed AS (
  SELECT src_ip, dst_ip, 'smb' AS service, "user", workstation, ts
  FROM smb
  WHERE command = 'session_setup'
    AND status IN ('STATUS_LOGON_FAILURE', 'STATUS_ACCOUNT_LOCKED_OUT', 'STATUS_WRONG_PASSWORD',
                   'STATUS_NO_SUCH_USER', 'STATUS_ACCOUNT_DISABLED')
  UNION ALL
  SELECT src_ip, dst_ip, 'rdp' AS service, cookie AS "user", client_name AS workstation, ts
  FROM rdp
  WHERE NOT auth_likely
)
SELECT src_ip, service, count(*) AS failures, count(DISTINCT "user") AS users,
       count(DISTINCT dst_ip) AS servers, min("user") AS a_user, min(workstation) AS workstation,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM failed
GROUP BY src_ip, service
HAVING count(*) >= $failures
ORDER BY failures DESC, src_ip, service
