-- title: Data in DNS names
-- why: What leaves in names gets out where nothing else does: hundreds of different names below one
--   domain, asked by one host, long and never asked again.
-- attack: T1071.004, T1572, T1048.003
-- param names integer 50: fewest different names below the domain
-- param length integer 20: shortest mean length of the part below the domain
-- read: Most names first. Content delivery and reputation services look like this too, but for many
--   hosts; a tunnel has one, with TXT, NULL or CNAME questions and large answers.
SELECT src_ip, domain(query) AS domain, count(DISTINCT query) AS names, count(*) AS queries,
       round(avg(length(query) - length(domain(query))), 1) AS mean_length,
       round(avg(entropy(query)), 2) AS mean_entropy,
       sum(CASE WHEN qtype IN ('TXT', 'NULL', 'CNAME', 'MX') THEN 1 ELSE 0 END) AS data_queries,
       sum(query_bytes) AS query_bytes, sum(response_bytes) AS response_bytes,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM dns
WHERE domain(query) IS NOT NULL AND transport IN ('udp', 'tcp')
GROUP BY src_ip, domain(query)
HAVING count(DISTINCT query) >= $names
   AND avg(length(query) - length(domain(query))) >= $length
ORDER BY names DESC, src_ip, domain
