-- title: Hosts that send far more than they fetch
-- why: Exfiltration turns the usual proportion round: people download.
-- attack: T1041, T1048, T1567
-- param bytes integer 104857600: fewest bytes sent to one destination
-- param ratio number 3: least sent for each byte received
-- read: Most bytes first, by host and destination. Backups and video calls are the honest ones; a
--   file server or database that sends to a storage service at night is not.
SELECT src_ip, coalesce(domain(dst_name), dst_ip) AS destination, max(service) AS service,
       sum(src_bytes) AS src_bytes, sum(dst_bytes) AS dst_bytes, count(*) AS flows,
       min(ts) AS first_ts, max(end_ts) AS last_ts
FROM flow
WHERE NOT is_private(dst_ip) AND is_private(src_ip)
GROUP BY src_ip, coalesce(domain(dst_name), dst_ip)
HAVING sum(src_bytes) >= $bytes AND sum(src_bytes) >= $ratio * sum(dst_bytes)
ORDER BY src_bytes DESC, src_ip, destination
LIMIT 500
