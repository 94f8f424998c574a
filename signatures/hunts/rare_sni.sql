-- title: Server names that few hosts ask for
-- why: A command-and-control name is asked for by the infected; everybody asks for everything else.
-- attack: T1071.001, T1573
-- param hosts integer 2: at most so many hosts
-- param connections integer 3: at least so many handshakes
-- read: Rarest first, most used of them first. A young, self-signed or unnamed certificate and a JA4
--   that is rare too make a lead; a vendor's update service usually shows a well-known issuer.
SELECT sni, domain(sni) AS domain, count(DISTINCT src_ip) AS hosts, count(*) AS handshakes,
       count(DISTINCT ja4) AS fingerprints, min(src_ip) AS a_host, max(dst_ip) AS a_server,
       max(issuer) AS issuer, min(ts) AS first_ts, max(ts) AS last_ts
FROM tls
WHERE sni IS NOT NULL
GROUP BY sni
HAVING count(DISTINCT src_ip) <= $hosts AND count(*) >= $connections
ORDER BY hosts, handshakes DESC, sni
LIMIT 500
