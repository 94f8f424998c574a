-- title: Who moves most bytes
-- why: The picture to know before anything can look odd.
-- attack: none
-- read: Most bytes first, both directions, as the originator and responder of flows alike.
WITH ends AS (
  SELECT src_ip AS host, src_bytes AS sent, dst_bytes AS received FROM flow
  UNION ALL
  SELECT dst_ip AS host, dst_bytes AS sent, src_bytes AS received FROM flow
)
SELECT host, sum(sent + received) AS bytes, sum(sent) AS sent, sum(received) AS received,
       count(*) AS flows
FROM ends
GROUP BY host
ORDER BY bytes DESC, host
LIMIT 50
