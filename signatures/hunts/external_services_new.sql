-- title: Services on the internet that nobody used before
-- why: A new remote-access tool, relay or drop site is first of all new.
-- attack: T1071, T1219, T1102
-- param window span 1d: how far back from the archive's newest flow "new" reaches
-- param hosts integer 5: at most so many hosts; what many begin to use is an update
-- read: Newest services with the fewest hosts. Do not narrow the archive with --since: without
--   history everything is new.
WITH newest AS (
  SELECT max(ts) AS ts FROM flow
), services AS (
  SELECT coalesce(domain(dst_name), dst_ip) AS destination, dst_port,
         coalesce(service, proto) AS service, count(DISTINCT src_ip) AS hosts,
         count(*) AS flows, sum(src_bytes) AS src_bytes, sum(dst_bytes) AS dst_bytes,
         min(src_ip) AS a_host, min(ts) AS first_ts, max(ts) AS last_ts
  FROM flow
  WHERE NOT is_private(dst_ip) AND is_private(src_ip) AND dst_bytes > 0
  GROUP BY coalesce(domain(dst_name), dst_ip), dst_port, coalesce(service, proto)
)
SELECT destination, dst_port, service, hosts, flows, src_bytes, dst_bytes, a_host, first_ts, last_ts
FROM services CROSS JOIN newest
WHERE first_ts >= newest.ts - $window AND hosts <= $hosts
ORDER BY hosts, first_ts DESC, destination, dst_port
LIMIT 500
