-- title: Names that are called at a steady rhythm
-- why: Behind a content network an implant's addresses change; the name it asks for does not.
-- attack: T1071.001, T1090.004, T1029
-- param beats integer 12: fewest connections
-- param score number 0.7: lowest score of regularity, 0 to 1
-- read: As beacons by pair, by server name: TLS and QUIC handshakes and HTTP requests together. Few
--   hosts that call a name is the first thing to look at.
WITH calls AS (
  SELECT src_ip, sni AS name, ts, 0 AS bytes FROM tls WHERE sni IS NOT NULL
  UNION ALL
  SELECT src_ip, split_part(host, ':', 1) AS name, ts, request_body_bytes AS bytes
  FROM http WHERE host IS NOT NULL
), hosts AS (
  SELECT name, count(DISTINCT src_ip) AS hosts FROM calls GROUP BY name
)
SELECT calls.src_ip, calls.name, domain(calls.name) AS domain, max(hosts.hosts) AS hosts,
       count(*) AS beats, round(beacon_score(calls.ts, calls.bytes), 2) AS score,
       round(beacon_period(calls.ts, calls.bytes), 1) AS period_seconds,
       min(calls.ts) AS first_ts, max(calls.ts) AS last_ts
FROM calls JOIN hosts ON hosts.name = calls.name
GROUP BY calls.src_ip, calls.name
HAVING count(*) >= $beats AND beacon_score(calls.ts, calls.bytes) >= $score
ORDER BY score DESC, hosts, beats DESC, calls.src_ip, calls.name
LIMIT 200
