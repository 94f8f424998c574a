-- title: User agents never seen before
-- why: Scripts, implants and downloaders name themselves, or misspell a browser.
-- attack: T1071.001
-- param window span 1d: how far back from the archive's newest request "new" reaches
-- read: Few hosts first. Tool names (curl, python-requests, Go-http-client, WinHTTP) on a desktop,
--   and browsers of impossible versions, are worth the host's story. Needs history: no --since.
WITH newest AS (
  SELECT max(ts) AS ts FROM http
), agents AS (
  SELECT user_agent, count(DISTINCT src_ip) AS hosts, count(*) AS requests,
         count(DISTINCT host) AS servers, min(src_ip) AS a_host, min(host) AS a_server,
         min(ts) AS first_ts, max(ts) AS last_ts
  FROM http
  WHERE user_agent IS NOT NULL
  GROUP BY user_agent
)
SELECT user_agent, hosts, requests, servers, a_host, a_server, first_ts, last_ts
FROM agents CROSS JOIN newest
WHERE first_ts >= newest.ts - $window
ORDER BY hosts, requests DESC, user_agent
LIMIT 500
