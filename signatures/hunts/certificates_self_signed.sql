-- title: Certificates that vouch for themselves
-- why: Command servers are set up in minutes; frameworks ship with certificates of their own making.
-- attack: T1573.002, T1587.003
-- param outside boolean true: only servers on the internet
-- read: One row per certificate. Appliances and printers inside are the honest ones; on the internet
--   look at the subject (default names of frameworks) and at how many hosts talk to it.
SELECT cert_sha256, subject, count(DISTINCT src_ip) AS hosts, count(DISTINCT dst_ip) AS servers,
       count(*) AS handshakes, min(src_ip) AS a_host, min(dst_ip) AS a_server, max(sni) AS a_name,
       max(not_before) AS not_before, max(not_after) AS not_after,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM tls
WHERE self_signed AND NOT ($outside AND is_private(dst_ip))
GROUP BY cert_sha256, subject
ORDER BY hosts, handshakes DESC, cert_sha256
