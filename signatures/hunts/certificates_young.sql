-- title: Certificates issued shortly before they were used
-- why: Phishing and command servers get their certificate on the day they are needed.
-- attack: T1583.001, T1588.004
-- param age span 3d: youngest so far at the first handshake
-- read: Fewest hosts first. Renewals of large sites are young too, but many hosts see them; up to
--   TLS 1.2 only, for later versions encrypt certificates.
SELECT cert_sha256, subject, issuer, max(sni) AS a_name, min(not_before) AS not_before,
       min(ts) AS first_ts, count(DISTINCT src_ip) AS hosts, count(*) AS handshakes,
       min(src_ip) AS a_host, min(dst_ip) AS a_server
FROM tls
WHERE not_before IS NOT NULL
GROUP BY cert_sha256, subject, issuer
HAVING min(ts) - min(not_before) <= $age
ORDER BY hosts, first_ts DESC, cert_sha256
LIMIT 500
