-- title: Hosts that ask for many names that do not exist
-- why: An implant that makes up its master's names asks for dozens before one is registered.
-- attack: T1568.002, T1071.004
-- param names integer 15: fewest registrable domains that are not there, within an hour
-- read: One row per client and hour. Made-up names have a high entropy and share a length and a few
--   endings; mistyped ones and search suffixes repeat, and are words. Look at what was found shortly
--   after: the name that exists is the master.
SELECT src_ip, date_trunc('hour', ts) AS hour_ts, count(DISTINCT domain(query)) AS names,
       count(*) AS queries, round(avg(entropy(query)), 2) AS mean_entropy,
       round(avg(length(query)), 1) AS mean_length, min(query) AS a_name,
       max(query) AS another_name, min(ts) AS first_ts, max(ts) AS last_ts
FROM dns
WHERE rcode = 'NXDOMAIN' AND transport IN ('udp', 'tcp')
GROUP BY src_ip, date_trunc('hour', ts)
HAVING count(DISTINCT domain(query)) >= $names
ORDER BY names DESC, src_ip, hour_ts
