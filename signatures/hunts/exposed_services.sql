-- title: Services of ours that the internet reaches
-- why: What answers strangers is what they attack first, known to its owner or not.
-- attack: T1190, T1133
-- read: One row per server, port and protocol with strangers it answered. Remote desktop, SMB,
--   databases and management ports have no business here.
SELECT dst_ip, dst_port, proto, max(service) AS service, count(DISTINCT src_ip) AS strangers,
       count(*) AS flows, sum(dst_bytes) AS bytes_given, min(ts) AS first_ts, max(ts) AS last_ts
FROM flow
WHERE is_private(dst_ip) AND NOT is_private(src_ip) AND dst_bytes > 0
  AND proto IN ('tcp', 'udp') AND part = 1
GROUP BY dst_ip, dst_port, proto
ORDER BY strangers DESC, dst_ip, dst_port
