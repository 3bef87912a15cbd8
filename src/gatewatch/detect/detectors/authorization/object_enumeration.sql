-- 1. who could be walking, from the 20-minute view (a necessary condition that only grows within a window);
-- 2. what those actors and their peers did in earlier windows, from the same view;
-- 3. event by event, only for the endpoints of the candidates: distinct values, misses, peers so far.
WITH
    candidates AS
    (
        SELECT endpoint_id, location, name, actor_kind, actor_id
        FROM object_access
        WHERE slot >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND slot < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
        GROUP BY slot, endpoint_id, location, name, actor_kind, actor_id
        HAVING uniqCombinedMerge(12)(values) >= 0.9 * {values:UInt32}
            OR (uniqCombinedMerge(12)(values) >= 0.9 * {missing_values:UInt32}
                AND sum(refused) + sum(missing) >= {missing_share:Float64} * {missing_values:UInt32})
    ),
    slots AS
    (
        SELECT toFloat64(toUnixTimestamp(slot)) AS window_start, endpoint_id, location, name,
               toString(actor_kind) AS kind, concat(kind, ':', actor_id) AS who, uniqCombinedMerge(12)(values) AS objects
        FROM object_access
        WHERE slot >= fromUnixTimestamp64Milli(toInt64(({window_start:Float64} - {history_days:UInt32} * 86400) * 1000), 'UTC') AND slot < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND (endpoint_id, location, name) IN (SELECT endpoint_id, location, name FROM candidates)
        GROUP BY slot, endpoint_id, location, name, actor_kind, actor_id
    ),
    own AS
    (
        SELECT window_start, endpoint_id, location, name, who,
               max(objects) OVER earlier AS own_most, count() OVER earlier AS own_windows
        FROM slots
        WHERE who IN (SELECT concat(toString(actor_kind), ':', actor_id) FROM candidates)
        WINDOW earlier AS (PARTITION BY endpoint_id, location, name, who ORDER BY window_start RANGE BETWEEN 2592000 PRECEDING AND 1 PRECEDING)
    ),
    -- Peers are of one kind (people, keys, addresses) where there are enough of it: machines that export nightly say
    -- nothing about what a person touches.
    peers AS
    (
        SELECT window_start, endpoint_id, location, name, peer_kind,
               max(actors) OVER earlier AS most_actors, quantileExact(0.9)(typical) OVER earlier AS usual
        FROM
        (
            SELECT window_start, endpoint_id, location, name, peer_kind, quantileExact(0.95)(objects) AS typical, count() AS actors
            FROM slots
            ARRAY JOIN [kind, 'all'] AS peer_kind
            GROUP BY window_start, endpoint_id, location, name, peer_kind
        )
        WINDOW earlier AS (PARTITION BY endpoint_id, location, name, peer_kind ORDER BY window_start RANGE BETWEEN 2592000 PRECEDING AND 1 PRECEDING)
    ),
    events AS
    (
        SELECT ts, id, endpoint_id, location, name, value, toString(actor_kind) AS kind, actor_id, client_ip, user_agent_value, status,
               concat(toString(actor_kind), ':', actor_id) AS who, auth_scheme = 'none' AND status BETWEEN 200 AND 399 AS anonymous,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start, if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
        FROM observed
        ARRAY JOIN parameter_location AS location, parameter_name AS name, parameter_value AS value, parameter_reference AS reference
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
          AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND endpoint_id IN (SELECT endpoint_id FROM candidates) AND reference
          AND NOT login_attempt -- trying account names is the stuffing detectors' story
          AND (endpoint_id, location, name) IN (SELECT endpoint_id, location, name FROM candidates)
    ),
    firsts AS
    (
        SELECT *,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, who, value ORDER BY ts, id) = 1 AS new_object,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, value ORDER BY ts, id) = 1 AS first_touch,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, who ORDER BY ts, id) = 1 AS new_actor,
               row_number() OVER (PARTITION BY window_start, endpoint_id, location, name, who, user_agent_value ORDER BY ts, id) = 1 AS new_agent
        FROM events
    ),
    running AS
    (
        SELECT *,
               sum(new_object) OVER by_actor AS objects, count() OVER by_actor AS calls, sum(new_agent) OVER by_actor AS agents,
               sum(new_object AND status IN (403, 404)) OVER by_actor AS misses,
               sum(anonymous) OVER by_actor AS own_anonymous,
               sum(first_touch) OVER by_actor AS own_first, sum(first_touch) OVER everybody AS all_first,
               sum(new_object) OVER everybody AS pairs, sum(new_actor) OVER everybody AS actors_seen,
               sum(new_object) OVER alike AS pairs_alike, sum(new_actor) OVER alike AS actors_alike,
               sum(anonymous) OVER everybody AS all_anonymous, count() OVER everybody AS all_calls
        FROM firsts
        WINDOW by_actor AS (PARTITION BY window_start, endpoint_id, location, name, who ORDER BY ts, id ROWS UNBOUNDED PRECEDING),
               alike AS (PARTITION BY window_start, endpoint_id, location, name, kind ORDER BY ts, id ROWS UNBOUNDED PRECEDING),
               everybody AS (PARTITION BY window_start, endpoint_id, location, name ORDER BY ts, id ROWS UNBOUNDED PRECEDING)
    ),
    judged AS
    (
        SELECT r.window_start AS window_start, r.ts AS ts, r.id AS id, r.who AS who, r.endpoint_id AS endpoint_id, r.location AS location, r.name AS name,
               r.value AS value, r.kind AS kind, r.actor_id AS actor_id, r.client_ip AS client_ip, r.status AS status, r.place AS place, r.summary AS summary,
               r.objects AS objects, o.own_most AS own_most, o.own_windows AS own_windows,
               if(p.most_actors >= {kin:UInt32}, p.usual, a.usual) AS peers_usual,
               if(actors_alike > {kin:UInt32}, (pairs_alike - objects) / (actors_alike - 1), (pairs - objects) / greatest(actors_seen - 1, 1)) AS peers_here,
               greatest(1., peers_here, toFloat64(peers_usual)) AS peers_now,
               misses / objects AS miss_share,
               all_calls - calls >= 10 AND all_anonymous - own_anonymous >= 0.3 * (all_calls - calls) AS is_public,
               -- Objects that several others touch have no single owner: catalogues, articles, shared documents.
               pairs - objects >= 20 AND all_first - own_first <= 0.7 * (pairs - objects) AS is_shared,
               own_windows >= 3 AS known,
               (miss_share >= {missing_share:Float64} AND objects >= {missing_values:UInt32} * if(is_public OR is_shared, 2, 1) AND objects >= {missing_deviation:Float64} * peers_now
                    AND (NOT known OR objects >= 2 * own_most))
               OR (objects >= {values:UInt32} AND objects >= {deviation:Float64} * peers_now AND NOT is_public AND NOT is_shared
                    AND (actors_seen >= 3 OR peers_usual > 0)
                    AND (kind != 'address' OR agents <= 3)
                    AND if(known, objects >= 3 * own_most, kind NOT IN ('key', 'consumer', 'certificate') OR miss_share >= {stale_share:Float64})) AS fires
        FROM running AS r
        LEFT JOIN own AS o ON o.window_start = r.window_start AND o.endpoint_id = r.endpoint_id AND o.location = r.location AND o.name = r.name AND o.who = r.who
        LEFT JOIN peers AS p ON p.window_start = r.window_start AND p.endpoint_id = r.endpoint_id AND p.location = r.location AND p.name = r.name AND p.peer_kind = r.kind
        LEFT JOIN peers AS a ON a.window_start = r.window_start AND a.endpoint_id = r.endpoint_id AND a.location = r.location AND a.name = r.name AND a.peer_kind = 'all'
        WHERE r.who IN (SELECT concat(toString(actor_kind), ':', actor_id) FROM candidates)
    )
SELECT window_start, who, endpoint_id, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, fires) AS detected_at,
       uniqExact(id) AS count, any(name) AS parameter, any(location) AS parameter_location, uniqExact(value) AS distinct_values,
       uniqExactIf(value, status IN (403, 404)) AS values_missed, uniqExactIf(value, status BETWEEN 200 AND 399) AS values_read,
       argMaxIf(peers_now, ts, fires) AS peers_values, max(own_most) AS own_values,
       groupUniqArray(100)((kind, actor_id)) AS actors, groupUniqArray(100)(client_ip) AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, concat(summary, ', new value of ', if(match(name, '^p[0-9]+$') AND toString(location) = 'request.path', concat('identifier ', toString(toUInt32OrZero(substring(name, 2)) + 1), ' of the path'), name)))) AS evidence
FROM judged
GROUP BY window_start, who, endpoint_id
HAVING countIf(fires) > 0
