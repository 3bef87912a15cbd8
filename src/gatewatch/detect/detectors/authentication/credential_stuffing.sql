-- Logins of one address in one window, event by event. "Pending" are users that failed from here and have not got in
-- from here so far: people who mistype or whose password expired get in soon after, stuffed accounts do not.
WITH
    logins AS
    (
        SELECT ts, id, endpoint_id, client_ip, login_user, user_agent_value, toString(actor_kind) AS kind, actor_id, status < 400 AND NOT has(response_signals, 'login_failed') AS ok,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND login_attempt AND login_user != 0
    ),
    before AS
    (
        SELECT *,
               sum(NOT ok) OVER earlier AS failed_before, sum(ok) OVER earlier AS ok_before,
               row_number() OVER (PARTITION BY window_start, client_ip, login_user ORDER BY ts, id) = 1 AS new_user,
               row_number() OVER (PARTITION BY window_start, client_ip, user_agent_value ORDER BY ts, id) = 1 AS new_agent,
               multiIf(NOT ok AND failed_before = 0 AND ok_before = 0, 1, ok AND failed_before > 0 AND ok_before = 0, -1, 0) AS change
        FROM logins
        WINDOW earlier AS (PARTITION BY window_start, client_ip, login_user ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    running AS
    (
        SELECT *, count() OVER so_far AS attempts, sum(new_user) OVER so_far AS users, sum(new_agent) OVER so_far AS agents,
               sum(change) OVER so_far AS pending
        FROM before
        WINDOW so_far AS (PARTITION BY window_start, client_ip ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    -- How everybody else fares at the same endpoint. Each address counts with its first users only: another that tries
    -- very many says nothing about the endpoint.
    ranked AS
    (
        SELECT *, minIf(users, new_user) OVER (PARTITION BY window_start, client_ip, login_user ORDER BY ts, id ROWS UNBOUNDED PRECEDING) <= {few:UInt32} AS counts
        FROM running
    ),
    beside AS
    (
        SELECT *, sum(counts AND new_user) OVER everybody - sum(counts AND new_user) OVER mine AS others,
               sum(counts * change) OVER everybody - sum(counts * change) OVER mine AS others_pending
        FROM ranked
        WINDOW everybody AS (PARTITION BY window_start, endpoint_id ORDER BY ts, id ROWS UNBOUNDED PRECEDING),
               mine AS (PARTITION BY window_start, endpoint_id, client_ip ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    usual AS
    (
        SELECT r.window_start AS window_start, r.client_ip AS client_ip, max(h.users) AS users_before
        FROM (SELECT DISTINCT window_start, client_ip FROM running WHERE pending >= {few:UInt32}) AS r
        INNER JOIN
        (
            SELECT client_ip, hour, uniqCombinedMerge(12)(users) AS users
            FROM login_hour
            WHERE hour >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - {history_days:UInt32} * 86400) * 1000), 'UTC')
              AND hour < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
              AND client_ip IN (SELECT client_ip FROM running WHERE pending >= {few:UInt32})
            GROUP BY client_ip, hour
            HAVING sum(failures) * 3 <= sum(attempts)
        ) AS h ON h.client_ip = r.client_ip
        WHERE toUnixTimestamp(h.hour) + 3600 <= r.window_start
          AND toUnixTimestamp(h.hour) >= r.window_start - {history_days:UInt32} * 86400
        GROUP BY window_start, client_ip
    ),
    judged AS
    (
        SELECT r.*, u.users_before,
               -- A login that fails nearly as many of the others' users is out of order; a campaign is told as one.
               others >= {users:UInt32} AND others_pending >= pending AND others_pending * users >= 0.7 * pending * others AS shared,
               NOT shared AND attempts <= {per_user:Float64} * users AND (
                   (pending >= {users:UInt32} AND pending >= 0.5 * users)
                   OR (pending >= {few:UInt32} AND pending >= 0.15 * users AND users >= 2 * {users:UInt32} AND agents <= 2
                       AND users > 2 * u.users_before)
               ) AS fires
        FROM beside AS r
        LEFT JOIN usual AS u ON u.window_start = r.window_start AND u.client_ip = r.client_ip
    )
SELECT window_start, client_ip, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, fires) AS detected_at, count() AS count,
       uniqExact(login_user) AS users_tried, max(pending) AS users_failed, uniqExactIf(login_user, ok) AS users_in,
       countIf(NOT ok) AS failures, uniqExact(user_agent_value) AS agents_seen, max(users_before) AS users_usual,
       groupUniqArray(100)((kind, actor_id)) AS actors, [client_ip] AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, summary)) AS evidence
FROM judged
GROUP BY window_start, client_ip
HAVING countIf(fires) > 0
