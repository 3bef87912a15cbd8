-- Distinct endpoints of one address in 20 minutes. Pages that load everything and first-time crawlers are answered;
-- a spray is refused or missed. What everybody does (a release that moved endpoints) shows in the others so far.
WITH
    candidates AS
    (
        SELECT client_ip
        FROM (SELECT intDiv(toUnixTimestamp(minute), {window_s:UInt32}) AS slot, client_ip, endpoint_id, status, calls FROM traffic_minute
              WHERE minute >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC'))
        GROUP BY slot, client_ip
        HAVING uniqExactIf(endpoint_id, endpoint_id != 0) >= {endpoints:UInt32} OR sumIf(calls, endpoint_id = 0) >= {unknown_calls:UInt32}
    ),
    population AS
    (
        SELECT window_start, minute,
               sum(new_pairs) OVER so_far AS pairs, sum(new_addresses) OVER so_far AS addresses_seen, sum(unknown) OVER so_far AS unknown_all
        FROM
        (
            SELECT window_start, minute, sum(pair) AS new_pairs, sum(address) AS new_addresses, sum(unknown_calls) AS unknown
            FROM
            (
                SELECT toFloat64(intDiv(toUnixTimestamp(minute), {window_s:UInt32}) * {window_s:UInt32}) AS window_start,
                       toUnixTimestamp(minute) AS minute, client_ip, endpoint_id, sumIf(calls, endpoint_id = 0) AS unknown_calls,
                       endpoint_id != 0 AND row_number() OVER (PARTITION BY window_start, client_ip, endpoint_id ORDER BY minute) = 1 AS pair,
                       row_number() OVER (PARTITION BY window_start, client_ip ORDER BY minute, endpoint_id) = 1 AS address
                FROM traffic_minute
                WHERE minute >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND (SELECT count() FROM candidates) > 0
                GROUP BY window_start, minute, client_ip, endpoint_id
            )
            GROUP BY window_start, minute
        )
        WINDOW so_far AS (PARTITION BY window_start ORDER BY minute ROWS UNBOUNDED PRECEDING)
    ),
    events AS
    (
        SELECT ts, id, endpoint_id, client_ip, toString(actor_kind) AS kind, actor_id, status, request_size, response_size, method, host,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary,
               status IN (400, 401, 403, 404, 405, 501) AS refused
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
          AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND client_ip IN (SELECT client_ip FROM candidates)
    ),
    firsts AS
    (
        SELECT *,
               endpoint_id != 0 AND row_number() OVER (PARTITION BY window_start, client_ip, endpoint_id ORDER BY ts, id) = 1 AS new_endpoint,
               endpoint_id = 0 AND row_number() OVER (PARTITION BY window_start, client_ip, endpoint_id, method, host, request_size, response_size ORDER BY ts, id) = 1 AS new_shape
        FROM events
    ),
    running AS
    (
        SELECT *, sum(new_endpoint) OVER so_far AS endpoints_here, sum(endpoint_id = 0) OVER so_far AS unknown_here, sum(new_shape) OVER so_far AS shapes,
               sum(refused) OVER so_far AS refused_here, count() OVER so_far AS calls, sum(status BETWEEN 200 AND 399) OVER so_far AS accepted_here
        FROM firsts
        WINDOW so_far AS (PARTITION BY window_start, client_ip ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    judged AS
    (
        SELECT r.*, p.pairs AS pairs,
               greatest(1., (p.pairs - endpoints_here) / greatest(toFloat64(p.addresses_seen) - 1, 1.)) AS peers_now,
               greatest(1., (toFloat64(p.unknown_all) - unknown_here) / greatest(toFloat64(p.addresses_seen) - 1, 1.)) AS peers_unknown,
               (endpoints_here >= {endpoints:UInt32} AND endpoints_here >= {deviation:Float64} * peers_now AND refused_here >= {refused_share:Float64} * calls)
               OR (unknown_here >= {unknown_calls:UInt32} AND unknown_here >= 2 * {deviation:Float64} * peers_unknown AND unknown_here >= 0.5 * calls
                   AND (shapes >= 5 OR accepted_here <= 0.1 * calls)) AS fires
        FROM running AS r
        ASOF LEFT JOIN population AS p ON p.window_start = r.window_start AND toUnixTimestamp(toStartOfMinute(r.ts)) > p.minute
    )
SELECT window_start, client_ip, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, fires) AS detected_at, count() AS count,
       max(endpoints_here) AS endpoints_touched, max(unknown_here) AS unknown_paths, countIf(refused) / count() AS share_refused,
       countIf(status BETWEEN 200 AND 399) AS accepted, argMaxIf(peers_now, ts, fires) AS peers_endpoints,
       groupUniqArray(100)((kind, actor_id)) AS actors, [client_ip] AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, summary)) AS evidence
FROM judged
GROUP BY window_start, client_ip
HAVING countIf(fires) > 0
