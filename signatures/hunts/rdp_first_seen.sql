-- title: Remote desktop between hosts that never did it before
-- why: Lateral movement makes new pairs; administrators use the same few for years.
-- attack: T1021.001
-- param window span 1d: how far back from the archive's newest session "new" reaches
-- read: One row per new pair. A client that appears with several new servers is moving. The more
--   weeks the archive holds, the more "never before" means; do not narrow it with --since.
WITH newest AS (
  SELECT max(ts) AS ts FROM rdp
), pairs AS (
  SELECT src_ip, dst_ip, count(*) AS sessions, min(ts) AS first_ts, max(ts) AS last_ts,
         max(cookie) AS cookie, max(client_name) AS client_name
  FROM rdp
  GROUP BY src_ip, dst_ip
)
SELECT src_ip, dst_ip, sessions, first_ts, last_ts, cookie, client_name,
       count(*) OVER (PARTITION BY src_ip) AS new_servers_of_client
FROM pairs CROSS JOIN newest
WHERE first_ts >= newest.ts - $window
ORDER BY new_servers_of_client DESC, src_ip, first_ts, dst_ip
