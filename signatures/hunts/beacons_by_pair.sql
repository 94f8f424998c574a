-- title: Pairs that keep time
-- why: An implant that waits for orders asks for them at its own rhythm, jitter or not.
-- attack: T1071.001, T1573, T1029
-- param beats integer 12: fewest connections
-- param score number 0.7: lowest score of regularity, 0 to 1
-- param outside boolean true: only responders on the internet
-- read: Most regular first. Clocks, updates, mail and monitoring keep time, too: look for few hosts,
--   young destinations, names nobody knows, sizes that never change.
SELECT src_ip, dst_ip, dst_port, max(dst_name) AS dst_name, max(service) AS service,
       count(*) AS beats, round(beacon_score(ts, src_bytes), 2) AS score,
       round(beacon_period(ts, src_bytes), 1) AS period_seconds,
       sum(src_bytes) AS src_bytes, sum(dst_bytes) AS dst_bytes,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM flow
WHERE part = 1 AND proto IN ('tcp', 'udp') AND dst_port <> 123
  AND NOT ($outside AND is_private(dst_ip))
GROUP BY src_ip, dst_ip, dst_port
HAVING count(*) >= $beats AND beacon_score(ts, src_bytes) >= $score
ORDER BY score DESC, beats DESC, src_ip, dst_ip, dst_port
LIMIT 200
