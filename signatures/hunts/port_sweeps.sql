-- title: One host, many ports of one server
-- why: Whoever tries the doors of a server one after the other has not been there before.
-- attack: T1046
-- param ports integer 30: fewest ports of a server
-- read: One row per client and server, however slowly it was done. Mostly failed is a sweep; mostly
--   open is a client of a service that hands out ports, such as RPC or passive FTP.
SELECT src_ip, dst_ip, count(DISTINCT dst_port) AS ports,
       count(DISTINCT CASE WHEN state IN ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH')
                           THEN dst_port END) AS failed,
       count(*) AS flows, min(dst_port) AS lowest, max(dst_port) AS highest,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM flow
WHERE proto = 'tcp' AND part = 1
GROUP BY src_ip, dst_ip
HAVING count(DISTINCT dst_port) >= $ports
ORDER BY ports DESC, src_ip, dst_ip
LIMIT 500
