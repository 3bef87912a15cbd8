-- One login endpoint, many addresses with few attempts each, judged as a whole and per shared trait: the same user
-- agent, or addresses of hosting providers. "Pending" users failed and have not got in so far, from anywhere.
WITH
    logins AS
    (
        SELECT ts, id, endpoint_id, client_ip, login_user, user_agent_value, toString(actor_kind) AS kind, actor_id, status < 400 AND NOT has(response_signals, 'login_failed') AS ok,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - 3600) * 1000), 'UTC')
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
    answered AS
    (
        -- How long the endpoint has let nobody in, up to an hour before the window.
        SELECT *, toFloat64(toUnixTimestamp64Milli(ts)) / 1000 AS ts_s,
               ts_s - greatest(window_start - 3600, maxIf(ts_s, ok) OVER (PARTITION BY endpoint_id ORDER BY ts, id ROWS UNBOUNDED PRECEDING)) AS closed_s
        FROM logins
    ),
    traits AS
    (
        SELECT *, trait
        FROM answered
        ARRAY JOIN arrayConcat(['all', concat('agent ', toString(user_agent_value))],
                               if(client_ip IN (SELECT client_ip FROM hosting), ['hosting'], [])) AS trait
        WHERE window_start >= {window_start:Float64}
    ),
    before AS
    (
        SELECT *, max(ok) OVER (PARTITION BY window_start, endpoint_id, trait, login_user) AS got_in,
               sum(NOT ok) OVER earlier AS failed_before, sum(ok) OVER earlier AS ok_before,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, login_user ORDER BY ts, id) = 1 AS new_user,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, client_ip ORDER BY ts, id) = 1 AS new_address,
               row_number() OVER (PARTITION BY window_start, endpoint_id, trait, client_ip ORDER BY ts, id) AS nth_of_address
        FROM traits
        WINDOW earlier AS (PARTITION BY window_start, endpoint_id, trait, login_user ORDER BY ts, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ),
    running AS
    (
        SELECT *, count() OVER so_far AS attempts, sum(new_user AND nth_of_address <= {counted:UInt32}) OVER so_far AS users, sum(new_address) OVER so_far AS addresses,
               max(nth_of_address) OVER so_far AS busiest,
               -- Only the first attempts of each address: a few that try very many beside honest users are no campaign of many.
               sum(multiIf(NOT ok AND failed_before = 0 AND ok_before = 0 AND nth_of_address <= {counted:UInt32}, 1, ok AND failed_before > 0 AND ok_before = 0, -1, 0)) OVER so_far AS pending
        FROM before
        WINDOW so_far AS (PARTITION BY window_start, endpoint_id, trait ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    past AS
    (
        SELECT endpoint_id, groupArray((toFloat64(toUnixTimestamp(hour)), failures, successes)) AS hours
        FROM
        (
            SELECT endpoint_id, hour, sum(login_hour.failures) AS failures,
                   least(sum(attempts) - failures, uniqCombinedMerge(12)(users)) AS successes
            FROM login_hour
            WHERE hour >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - {history_days:UInt32} * 86400) * 1000), 'UTC')
              AND hour < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
            GROUP BY endpoint_id, hour
        )
        GROUP BY endpoint_id
    ),
    judged AS
    (
        SELECT r.*, pending >= {users:UInt32} AND addresses >= {addresses:UInt32} AND attempts <= {per_address:Float64} * addresses
                        AND busiest <= 0.3 * attempts AS spread,
               -- Whole hours before the window.
               if(spread, arrayFilter(h -> h.1 + 3600 <= window_start AND h.1 >= window_start - {history_days:UInt32} * 86400, p.hours), []) AS known,
               length(known) AS hours_known,
               if(hours_known = 0, 0., arrayReduce('quantileExact(0.95)', known.2) / 3) AS failures_usual,
               -- A login that lets nobody in, where several would have got in by now, is out of order: its failures accuse nobody, unless
               -- they come from hosting providers, where no crowd of people is.
               arrayFilter(h -> h.1 >= window_start - 14400, known) AS lately,
               if(length(lately) = 0, 0., arrayReduce('quantileExactLow(0.5)', lately.3)) / 3600 AS let_in_per_s,
               spread AND (trait = 'hosting' OR closed_s * let_in_per_s < {missed:Float64}) AND (pending >= 0.5 * users
                   OR (trait = 'all' AND hours_known >= 6 AND pending >= {deviation:Float64} * failures_usual AND pending >= 0.2 * users)) AS fires
        FROM running AS r
        LEFT JOIN past AS p ON p.endpoint_id = r.endpoint_id
    ),
    -- The narrowest trait that fires tells the story best: it names the fewest bystanders.
    told AS
    (
        SELECT *, max(fires) OVER whole AS alarm, argMinIf(trait, (trait = 'all', ts), fires) OVER whole AS shared_trait, minIf(ts, fires) OVER whole AS first_fire
        FROM judged
        WINDOW whole AS (PARTITION BY window_start, endpoint_id)
    )
SELECT window_start, endpoint_id, min(ts) AS first_seen, max(ts) AS last_seen, any(first_fire) AS detected_at,
       count() AS count, any(shared_trait) AS shared_trait, uniqExact(login_user) AS users_tried, max(pending) AS users_failed,
       uniqExactIf(login_user, ok) AS users_in, uniqExact(client_ip) AS addresses_used, max(failures_usual) AS failures_before,
       max(hours_known) AS hours_before,
       groupUniqArrayIf(100)((kind, actor_id), NOT ok AND NOT got_in) AS actors,
       groupUniqArrayIf(100)(client_ip, NOT ok AND NOT got_in) AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints,
       groupArraySortedIf(10)((ts, id, summary), NOT ok AND NOT got_in) AS evidence
FROM told
WHERE alarm AND trait = told.shared_trait
GROUP BY window_start, endpoint_id
