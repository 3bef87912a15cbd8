-- One login endpoint, many addresses with few attempts each, judged as a whole and per shared trait: the same user
-- agent, or addresses of hosting providers. "Pending" users failed and have not got in so far, from anywhere.
WITH
    logins AS
    (
        SELECT ts, id, endpoint_id, client_ip, login_user, user_agent_value, toString(actor_kind) AS kind, actor_id, status < 400 AS ok,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND login_attempt AND login_user != 0 AND endpoint_id != 0
    ),
    hosting AS
    (
        SELECT seen.client_ip AS client_ip
        FROM (SELECT DISTINCT 1 AS one, client_ip, toUInt128(client_ip) AS address FROM logins) AS seen
        ASOF JOIN
        (
            SELECT 1 AS one, toUInt128(first) AS lowest, toUInt128(last) AS highest, detail, label
            FROM address_ranges
            WHERE list = 'ip_info'
        ) AS ranges ON seen.one = ranges.one AND seen.address >= ranges.lowest
        WHERE seen.address <= ranges.highest AND (positionCaseInsensitive(ranges.detail, 'hosting') > 0 OR positionCaseInsensitive(ranges.label, 'hosting') > 0)
    ),
    traits AS
    (
        SELECT *, trait
        FROM logins
        ARRAY JOIN arrayConcat(['all', concat('agent ', toString(user_agent_value))],
                               if(client_ip IN (SELECT client_ip FROM hosting), ['hosting'], [])) AS trait
    ),
    before AS
    (
        SELECT *,
               sum(NOT ok) OVER earlier AS failed_before, sum(ok) OVER earlier AS ok_before,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, login_user ORDER BY ts, id) = 1 AS new_user,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, client_ip ORDER BY ts, id) = 1 AS new_address,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, client_ip ORDER BY ts, id) AS nth_of_address
        FROM traits
        WINDOW earlier AS (PARTITION BY window_start, endpoint_id, trait, login_user ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    running AS
    (
        SELECT *, count() OVER so_far AS attempts, sum(new_user) OVER so_far AS users, sum(new_address) OVER so_far AS addresses,
               max(nth_of_address) OVER so_far AS busiest,
               sum(multiIf(NOT ok AND failed_before = 0 AND ok_before = 0, 1, ok AND failed_before > 0 AND ok_before = 0, -1, 0)) OVER so_far AS pending
        FROM before
        WINDOW so_far AS (PARTITION BY window_start, endpoint_id, trait ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    history AS
    (
        SELECT r.window_start AS window_start, r.endpoint_id AS endpoint_id,
               quantileExact(0.95)(h.failures) / 3 AS failures_usual, count() AS hours_known
        FROM (SELECT DISTINCT window_start, endpoint_id FROM running WHERE pending >= {users:UInt32} AND addresses >= {addresses:UInt32}) AS r
        INNER JOIN
        (
            SELECT endpoint_id, hour, sum(failures) AS failures
            FROM login_hour
            WHERE hour >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - {history_days:UInt32} * 86400) * 1000), 'UTC')
              AND hour < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
            GROUP BY endpoint_id, hour
        ) AS h ON h.endpoint_id = r.endpoint_id
        WHERE toUnixTimestamp(h.hour) + 3600 <= r.window_start
          AND toUnixTimestamp(h.hour) >= r.window_start - {history_days:UInt32} * 86400
        GROUP BY window_start, endpoint_id
    ),
    judged AS
    (
        SELECT r.*, h.failures_usual, h.hours_known,
               pending >= {users:UInt32} AND addresses >= {addresses:UInt32} AND attempts <= {per_address:Float64} * addresses
               AND busiest <= 0.3 * attempts AND (
                   pending >= 0.5 * users
                   OR (trait = 'all' AND hours_known >= 6 AND pending >= {deviation:Float64} * h.failures_usual AND pending >= 0.2 * users)
               ) AS fires
        FROM running AS r
        LEFT JOIN history AS h ON h.window_start = r.window_start AND h.endpoint_id = r.endpoint_id
    ),
    -- The narrowest trait that fires tells the story best: it names the fewest bystanders.
    chosen AS
    (
        SELECT window_start, endpoint_id, argMin(trait, (trait = 'all', first_fire)) AS trait, min(first_fire) AS detected_at
        FROM (SELECT window_start, endpoint_id, trait, minIf(ts, fires) AS first_fire FROM judged GROUP BY window_start, endpoint_id, trait HAVING countIf(fires) > 0)
        GROUP BY window_start, endpoint_id
    ),
    victims AS
    (
        SELECT window_start, endpoint_id, trait, login_user, min(ok) AS always_in, max(ok) AS got_in
        FROM traits
        GROUP BY window_start, endpoint_id, trait, login_user
    )
SELECT j.window_start AS window_start, j.endpoint_id AS endpoint_id, min(j.ts) AS first_seen, max(j.ts) AS last_seen, any(c.detected_at) AS detected_at,
       count() AS count, any(c.trait) AS shared_trait, uniqExact(j.login_user) AS users_tried, max(j.pending) AS users_failed,
       uniqExactIf(j.login_user, j.ok) AS users_in, uniqExact(j.client_ip) AS addresses_used, max(j.failures_usual) AS failures_before,
       max(j.hours_known) AS hours_before,
       groupUniqArrayIf(100)((j.kind, j.actor_id), NOT j.ok AND NOT v.got_in) AS actors,
       groupUniqArrayIf(100)(j.client_ip, NOT j.ok AND NOT v.got_in) AS client_ips,
       groupUniqArrayIf(100)(j.place, j.place != '') AS endpoints,
       groupArraySortedIf(10)((j.ts, j.id, j.summary), NOT j.ok AND NOT v.got_in) AS evidence
FROM judged AS j
INNER JOIN chosen AS c ON c.window_start = j.window_start AND c.endpoint_id = j.endpoint_id AND c.trait = j.trait
INNER JOIN victims AS v ON v.window_start = j.window_start AND v.endpoint_id = j.endpoint_id AND v.trait = j.trait AND v.login_user = j.login_user
GROUP BY window_start, endpoint_id
