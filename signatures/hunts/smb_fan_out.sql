-- title: One host, many hosts, port 445
-- why: Worms and hands-on attackers try file sharing on everything they can reach.
-- attack: T1021.002, T1046, T1210
-- param hosts integer 10: fewest servers within an hour
-- param port integer 445: the port
-- read: One row per client and hour. Failed means no answer or refused: a scan mostly fails, a backup
--   server or scanner of your own succeeds and does it every day.
SELECT src_ip, date_trunc('hour', ts) AS hour_ts, count(DISTINCT dst_ip) AS servers,
       count(DISTINCT CASE WHEN state IN ('S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH')
                           THEN dst_ip END) AS failed,
       count(*) AS flows, min(dst_ip) AS a_server, min(ts) AS first_ts, max(ts) AS last_ts
FROM flow
WHERE dst_port = $port AND proto = 'tcp' AND part = 1
GROUP BY src_ip, date_trunc('hour', ts)
HAVING count(DISTINCT dst_ip) >= $hosts
ORDER BY servers DESC, src_ip, hour_ts
