-- title: TLS clients that few hosts run
-- why: Malware brings its own TLS library; its hello looks like no browser of the house.
-- attack: T1071.001, T1573.002
-- param hosts integer 2: at most so many hosts
-- read: One row per fingerprint. Look at what it talks to: one name or address at a steady rhythm is
--   a lead, many well-known names are a developer's tool.
SELECT ja4, count(DISTINCT src_ip) AS hosts, count(*) AS handshakes,
       count(DISTINCT sni) AS names, count(DISTINCT dst_ip) AS servers,
       min(src_ip) AS a_host, min(sni) AS a_name, min(ts) AS first_ts, max(ts) AS last_ts
FROM tls
WHERE ja4 IS NOT NULL
GROUP BY ja4
HAVING count(DISTINCT src_ip) <= $hosts
ORDER BY hosts, handshakes DESC, ja4
LIMIT 500
