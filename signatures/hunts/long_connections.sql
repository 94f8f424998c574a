-- title: Connections that last for hours
-- why: A remote shell or tunnel stays open; a web page does not.
-- attack: T1571, T1572, T1095
-- param duration span 1h: shortest sum of all connections of a pair and port
-- param outside boolean true: only responders on the internet
-- read: Longest first, all parts and connections of a pair and port together. VPN, chat and push
--   services are the honest ones: known names, many hosts. One host, no name, few bytes: look.
SELECT src_ip, dst_ip, dst_port, max(service) AS service, max(dst_name) AS dst_name,
       sum(date_part('epoch', end_ts) - date_part('epoch', ts)) AS seconds,
       count(DISTINCT uid) AS connections, sum(src_bytes) AS src_bytes, sum(dst_bytes) AS dst_bytes,
       min(ts) AS first_ts, max(end_ts) AS last_ts
FROM flow
WHERE proto IN ('tcp', 'udp') AND state NOT IN ('S0', 'REJ')
  AND NOT ($outside AND is_private(dst_ip))
GROUP BY src_ip, dst_ip, dst_port
HAVING sum(date_part('epoch', end_ts) - date_part('epoch', ts)) >= date_part('epoch', $duration)
ORDER BY seconds DESC, src_ip, dst_ip, dst_port
LIMIT 500
