-- One address walks with many identities: each stays small. Offices behind one address read their own objects and
-- rarely miss; a walker misses, or reads what actors at other addresses read as theirs.
WITH
    candidates AS
    (
        SELECT endpoint_id, location, name, client_ip
        FROM object_access
        WHERE slot >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND slot < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
        GROUP BY slot, endpoint_id, location, name, client_ip
        HAVING uniqCombinedMerge(12)(values) >= 0.9 * {values:UInt32} AND uniqExact(actor_id) >= 3
    ),
    events AS
    (
        SELECT ts, id, endpoint_id, location, name, value, toString(actor_kind) AS kind, actor_id, client_ip, status,
               concat(toString(actor_kind), ':', actor_id) AS who, auth_scheme = 'none' AND status BETWEEN 200 AND 399 AS anonymous,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
        FROM observed
        ARRAY JOIN parameter_location AS location, parameter_name AS name, parameter_value AS value, parameter_reference AS reference
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
          AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND endpoint_id IN (SELECT endpoint_id FROM candidates) AND reference
          AND (endpoint_id, location, name) IN (SELECT endpoint_id, location, name FROM candidates)
    ),
    firsts AS
    (
        SELECT *,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, client_ip, value ORDER BY ts, id) = 1 AS new_object,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, value, who ORDER BY ts, id) = 1 AS new_reader,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, client_ip, who ORDER BY ts, id) = 1 AS new_actor,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, client_ip ORDER BY ts, id) = 1 AS new_address
        FROM events
    ),
    -- What one actor elsewhere read is theirs; what several did has no single owner: catalogues, articles, events.
    owned AS
    (
        SELECT *, sum(new_reader) OVER (PARTITION BY window_start, endpoint_id, location, name, value ORDER BY ts, id ROWS UNBOUNDED PRECEDING) - new_reader = 1 AS anothers
        FROM firsts
    ),
    running AS
    (
        SELECT *, sum(new_object) OVER here AS objects, sum(new_actor) OVER here AS actors_here,
               sum(new_object AND status IN (403, 404)) OVER here AS misses, sum(new_object AND anothers) OVER here AS foreign,
               sum(anonymous) OVER here AS own_anonymous, count() OVER here AS calls,
               sum(new_object) OVER of_actor AS objects_of_actor,
               sum(new_object) OVER everybody AS pairs, sum(new_address) OVER everybody AS addresses_seen,
               sum(anonymous) OVER everybody AS all_anonymous, count() OVER everybody AS all_calls
        FROM owned
        WINDOW here AS (PARTITION BY window_start, endpoint_id, location, name, client_ip ORDER BY ts, id ROWS UNBOUNDED PRECEDING),
               of_actor AS (PARTITION BY window_start, endpoint_id, location, name, client_ip, who ORDER BY ts, id ROWS UNBOUNDED PRECEDING),
               everybody AS (PARTITION BY window_start, endpoint_id, location, name ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    judged AS
    (
        SELECT *, max(objects_of_actor) OVER (PARTITION BY window_start, endpoint_id, location, name, client_ip ORDER BY ts, id ROWS UNBOUNDED PRECEDING) AS busiest,
               greatest(1., (pairs - objects) / greatest(addresses_seen - 1, 1)) AS peers_now,
               all_calls - calls >= 10 AND all_anonymous - own_anonymous >= 0.3 * (all_calls - calls) AS is_public,
               objects >= {values:UInt32} AND actors_here >= 3 AND busiest <= 0.5 * objects AND objects >= {deviation:Float64} * peers_now
                   AND NOT is_public
                   AND (misses >= {missing_share:Float64} * objects OR foreign >= {foreign_share:Float64} * objects) AS fires
        FROM running
        WHERE (endpoint_id, location, name, client_ip) IN (SELECT endpoint_id, location, name, client_ip FROM candidates)
    )
SELECT window_start, client_ip, endpoint_id, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, fires) AS detected_at,
       uniqExact(id) AS count, any(name) AS parameter, any(location) AS parameter_location, uniqExact(value) AS distinct_values, uniqExactIf(value, status IN (403, 404)) AS values_missed,
       uniqExact(who) AS identities, argMaxIf(foreign, ts, fires) AS values_of_others, argMaxIf(peers_now, ts, fires) AS peers_values,
       groupUniqArray(100)((kind, actor_id)) AS actors, [client_ip] AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, concat(summary, ', new value of ', if(match(name, '^p[0-9]+$') AND toString(location) = 'request.path', concat('identifier ', toString(toUInt32OrZero(substring(name, 2)) + 1), ' of the path'), name)))) AS evidence
FROM judged
GROUP BY window_start, client_ip, endpoint_id
HAVING countIf(fires) > 0
