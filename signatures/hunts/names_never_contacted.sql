-- title: Names looked up whose addresses are never contacted
-- why: DNS as the channel itself, a sinkholed or blocked command server, or a scanner of names: the
--   question is asked, the answer is not used.
-- attack: T1071.004, T1568
-- param queries integer 5: fewest look-ups of a name by a host
-- read: Most asked first. Prefetching browsers leave many names with one query each; a name asked
--   again and again without a connection is a channel or a blocked implant.
WITH asked AS (
  SELECT src_ip, query, count(*) AS queries, min(ts) AS first_ts, max(ts) AS last_ts
  FROM dns
  WHERE qtype IN ('A', 'AAAA') AND rcode = 'NOERROR' AND query IS NOT NULL
    AND transport IN ('udp', 'tcp')
  GROUP BY src_ip, query
), answered AS (
  SELECT DISTINCT src_ip, query, unnest(answers) AS answer
  FROM dns
  WHERE qtype IN ('A', 'AAAA') AND rcode = 'NOERROR'
), contacted AS (
  SELECT DISTINCT a.src_ip, a.query
  FROM answered AS a JOIN flow AS f ON f.src_ip = a.src_ip AND f.dst_ip = a.answer
)
SELECT asked.src_ip, asked.query, domain(asked.query) AS domain, asked.queries,
       asked.first_ts, asked.last_ts
FROM asked LEFT JOIN contacted
  ON contacted.src_ip = asked.src_ip AND contacted.query = asked.query
WHERE contacted.query IS NULL AND asked.queries >= $queries
ORDER BY asked.queries DESC, asked.src_ip, asked.query
LIMIT 500
