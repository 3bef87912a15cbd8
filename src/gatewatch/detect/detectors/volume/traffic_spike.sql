-- Calls of one address to one endpoint in 5 minutes against its own hours, the endpoint's other callers and the
-- endpoint as a whole: a rise that everybody shares is a release or a campaign, not one address.
WITH
    minutes AS
    (
        SELECT toFloat64(intDiv(toUnixTimestamp(minute), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, minute, endpoint_id, client_ip,
               sum(calls) AS minute_calls, min(first_ts) AS first_call, max(last_ts) AS last_call
        FROM traffic_minute
        WHERE minute >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
        GROUP BY window_start, minute, endpoint_id, client_ip
    ),
    busy AS
    (
        SELECT window_start, endpoint_id, client_ip
        FROM minutes
        GROUP BY window_start, endpoint_id, client_ip
        HAVING sum(minute_calls) >= {calls:UInt32}
    ),
    hours AS
    (
        SELECT toUnixTimestamp(hour) AS hour_s, endpoint_id, client_ip, sum(calls) AS hour_calls
        FROM client_hour
        WHERE hour >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - {history_days:UInt32} * 86400) * 1000), 'UTC') AND hour < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND endpoint_id IN (SELECT endpoint_id FROM busy)
        GROUP BY hour_s, endpoint_id, client_ip
    ),
    own AS
    (
        SELECT b.window_start AS window_start, b.endpoint_id AS endpoint_id, b.client_ip AS client_ip,
               max(h.hour_calls) / 12 AS own_most, count() AS own_hours
        FROM busy AS b
        INNER JOIN hours AS h ON h.endpoint_id = b.endpoint_id AND h.client_ip = b.client_ip
        WHERE h.hour_s + 3600 <= b.window_start AND h.hour_s >= b.window_start - {history_days:UInt32} * 86400
        GROUP BY window_start, endpoint_id, client_ip
    ),
    endpoint_hours AS
    (
        SELECT hour_s, endpoint_id, sum(hour_calls) AS hour_total, max(hour_calls) AS hour_most
        FROM hours
        GROUP BY hour_s, endpoint_id
    ),
    whole AS
    (
        SELECT b.window_start AS window_start, b.endpoint_id AS endpoint_id,
               quantileExact(0.5)(h.hour_total) / 12 AS total_usual, max(h.hour_total) / 12 AS total_most, quantileExact(0.9)(h.hour_most) / 12 AS address_most, count() AS known_hours
        FROM (SELECT DISTINCT window_start, endpoint_id FROM busy) AS b
        INNER JOIN endpoint_hours AS h ON h.endpoint_id = b.endpoint_id
        WHERE h.hour_s + 3600 <= b.window_start AND h.hour_s >= b.window_start - {history_days:UInt32} * 86400
        GROUP BY window_start, endpoint_id
    ),
    running AS
    (
        SELECT *, sum(minute_calls) OVER here AS calls_here
        FROM minutes
        WHERE (window_start, endpoint_id) IN (SELECT window_start, endpoint_id FROM busy)
        WINDOW here AS (PARTITION BY window_start, endpoint_id, client_ip ORDER BY minute ROWS UNBOUNDED PRECEDING)
    ),
    everybody AS
    (
        SELECT window_start, endpoint_id, minute,
               sum(total) OVER so_far AS calls_all, sum(fresh) OVER so_far AS addresses_seen
        FROM (SELECT window_start, endpoint_id, minute, sum(minute_calls) AS total, countIf(calls_here = minute_calls) AS fresh FROM running GROUP BY window_start, endpoint_id, minute)
        WINDOW so_far AS (PARTITION BY window_start, endpoint_id ORDER BY minute ROWS UNBOUNDED PRECEDING)
    ),
    judged AS
    (
        SELECT r.window_start AS window_start, r.endpoint_id AS endpoint_id, r.client_ip AS client_ip, r.minute AS minute, r.minute_calls AS minute_calls,
               r.first_call AS first_call, r.last_call AS last_call, r.calls_here AS calls_here, o.own_most AS own_most, o.own_hours AS own_hours, w.total_usual AS total_usual, w.address_most AS address_most, w.known_hours AS known_hours,
               (e.calls_all - calls_here) / greatest(e.addresses_seen - 1, 1) AS peers_now,
               multiIf(own_hours >= 3, own_most, known_hours >= 3, address_most, peers_now) AS usual,
               calls_here >= {calls:UInt32}
                   AND calls_here >= {deviation:Float64} * greatest(usual, 1) + 5 * sqrt(greatest(usual, 1))
                   AND calls_here >= {deviation:Float64} * greatest(peers_now, 1)
                   AND (known_hours >= 3 OR e.addresses_seen >= {peers:UInt32})
                   AND (known_hours < 3 OR (e.calls_all - calls_here) <= 3 * greatest(w.total_most, 1)) AS fires
        FROM running AS r
        INNER JOIN everybody AS e ON e.window_start = r.window_start AND e.endpoint_id = r.endpoint_id AND e.minute = r.minute
        LEFT JOIN own AS o ON o.window_start = r.window_start AND o.endpoint_id = r.endpoint_id AND o.client_ip = r.client_ip
        LEFT JOIN whole AS w ON w.window_start = r.window_start AND w.endpoint_id = r.endpoint_id
        WHERE (r.window_start, r.endpoint_id, r.client_ip) IN (SELECT window_start, endpoint_id, client_ip FROM busy)
    ),
    spikes AS
    (
        SELECT window_start, endpoint_id, client_ip, min(first_call) AS first_seen, max(last_call) AS last_seen, minIf(last_call, fires) AS detected_at,
               sum(minute_calls) AS count, argMaxIf(usual, minute, fires) AS calls_usual, argMaxIf(peers_now, minute, fires) AS calls_peers, max(own_hours) AS hours_known
        FROM judged
        GROUP BY window_start, endpoint_id, client_ip
        HAVING countIf(fires) > 0
    ),
    events AS
    (
        SELECT toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, endpoint_id, client_ip,
               groupUniqArray(100)((toString(actor_kind), actor_id)) AS actors, groupUniqArrayIf(100)(concat(method, ' ', host, ' ', template), template != '') AS endpoints,
               groupArraySorted(5)((ts, id, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)))) AS evidence
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
          AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND (endpoint_id, client_ip) IN (SELECT endpoint_id, client_ip FROM spikes)
        GROUP BY window_start, endpoint_id, client_ip
    )
SELECT s.window_start AS window_start, s.endpoint_id AS endpoint_id, s.client_ip AS client_ip, first_seen, last_seen, detected_at, count,
       calls_usual, calls_peers, hours_known, e.actors AS actors, [s.client_ip] AS client_ips, e.endpoints AS endpoints, e.evidence AS evidence
FROM spikes AS s
LEFT JOIN events AS e ON e.window_start = s.window_start AND e.endpoint_id = s.endpoint_id AND e.client_ip = s.client_ip
