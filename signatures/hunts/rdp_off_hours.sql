-- title: Remote desktop outside working hours
-- why: Stolen passwords are used when nobody watches. People work by the clock of their office.
-- attack: T1021.001, T1078
-- param timezone text 'UTC': the office's time zone, as in Asia/Shanghai
-- param start text '08:00': first working minute
-- param end text '18:30': first minute after work, some grace included
-- param days_off text '': holidays, as in 2026-02-16,2026-02-17
-- param days_on text '': days of a weekend that are worked, as in 2026-02-28
-- read: One row per client, server and account. A pair with sessions both at night and by day is an
--   administrator or a job; a pair that is there at night only, with few sessions, is worth a call.
WITH sessions AS (
  SELECT src_ip, dst_ip, cookie, auth_likely, ts,
         to_char(ts AT TIME ZONE $timezone, '%Y-%m-%d') AS local_date,
         to_char(ts AT TIME ZONE $timezone, '%H:%M') AS local_time,
         date_part('dow', ts AT TIME ZONE $timezone) AS local_day
  FROM rdp
), marked AS (
  SELECT *, local_time < $start OR local_time >= $end OR strpos($days_off, local_date) > 0
            OR (local_day IN (0, 6) AND strpos($days_on, local_date) = 0) AS off_hours
  FROM sessions
)
SELECT src_ip, dst_ip, cookie,
       sum(CASE WHEN off_hours THEN 1 ELSE 0 END) AS off_hours,
       sum(CASE WHEN off_hours THEN 0 ELSE 1 END) AS in_hours,
       sum(CASE WHEN off_hours AND auth_likely THEN 1 ELSE 0 END) AS off_hours_logons,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM marked
GROUP BY src_ip, dst_ip, cookie
HAVING sum(CASE WHEN off_hours THEN 1 ELSE 0 END) > 0
ORDER BY in_hours, off_hours DESC, src_ip, dst_ip, cookie
