-- Hits of one caller in one window, weighed one by one in order of time; the condition is true at the first event
-- that brings the points to 1 or whose answer shows success. Content that many authenticated callers write into the
-- same field (since the start of the day before) weighs nothing.
WITH
    touched AS
    (
        SELECT DISTINCT path_id
        FROM observations
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND notEmpty(indicator_class)
    ),
    hits AS
    (
        SELECT ts, id, path_id, client_ip, toString(actor_kind) AS kind, actor_id, status, class, indicator, location, name,
               confidence, latency_ms, toDate(ts) AS day,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start,
               concat(toString(actor_kind), ':', actor_id) AS who,
               if(template = '', '', concat(method, ' ', host, ' ', template)) AS place,
               concat(concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)), ', ', class, ' in ', location, ' ', name, ': ', snippet) AS summary,
               hasAny(response_signals, ['sql_error', 'passwd_file', 'command_output', 'template_evaluated', 'metadata_service', 'file_content'])
                   OR (class = 'xss' AND has(response_signals, 'reflected_input') AND status < 400 AND confidence >= {strong:Float64})
                   OR (latency_ms >= {delay_ms:Float64} AND match(indicator, 'delay|sleep|benchmark|waitfor')) AS signalled,
               kind != 'address' AND status BETWEEN 200 AND 399 AND location = 'request.body'
                   AND class IN ('xss', 'sql_injection', 'template_injection', 'nosql_injection', 'command_injection', 'path_traversal', 'ssrf')
                   AND NOT match(name, '(?:^|[._-])(?i:id)s?$|[a-z]Ids?$') -- nobody writes prose into an identifier
                   AND NOT signalled AS authored,
               class IN ('xss', 'sql_injection', 'template_injection', 'nosql_injection') AS written, -- by people, in texts
               if(written, class, concat(class, ' ', indicator)) AS content
        FROM observed
        ARRAY JOIN indicator_class AS class, indicator_id AS indicator, indicator_location AS location, indicator_name AS name,
                   indicator_confidence AS confidence, indicator_snippet AS snippet
        WHERE ts >= toStartOfDay(fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')) - INTERVAL 1 DAY
          AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND notEmpty(indicator_class) AND path_id IN (SELECT path_id FROM touched)
          AND class != 'suspicious_user_agent' AND confidence >= {confidence:Float64}
    ),
    writers AS
    (
        SELECT path_id, content, location, name, day, uniqExact(who) AS writers
        FROM hits
        WHERE authored
        GROUP BY path_id, content, location, name, day
    ),
    first_flags AS
    (
        SELECT *,
               authored AND row_number() OVER (PARTITION BY path_id, content, location, name, day, who, authored ORDER BY ts, id) = 1 AS new_writer,
               row_number() OVER (PARTITION BY window_start, who, class, indicator, name ORDER BY ts, id) = 1 AS new_pattern
        FROM hits
    ),
    judged AS
    (
        SELECT f.*, w.writers
                   + sum(new_writer) OVER (PARTITION BY f.path_id, f.content, f.location, f.name, f.day ORDER BY f.ts, f.id ROWS UNBOUNDED PRECEDING) AS known_writers
        FROM first_flags AS f
        LEFT JOIN writers AS w ON w.path_id = f.path_id AND w.content = f.content AND w.location = f.location AND w.name = f.name AND w.day = f.day - 1
    ),
    weighed AS
    (
        SELECT *,
               multiIf(signalled, 1.,
                       authored AND known_writers > {writers:UInt32}, 0.,
                       authored AND written, if(new_pattern, 0.26, 0.),
                       confidence >= {strong:Float64}, 1.,
                       new_pattern, 0.34, 0.) AS points
        FROM judged
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
    ),
    running AS
    (
        SELECT *, sum(points) OVER (PARTITION BY window_start, who ORDER BY ts, id ROWS UNBOUNDED PRECEDING) AS reached
        FROM weighed
    )
SELECT window_start, who, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, reached >= 1) AS detected_at,
       uniqExact(id) AS count, groupUniqArray(20)(class) AS classes, max(confidence) AS strongest,
       uniqExactIf(id, signalled) AS succeeded, uniqExactIf(id, status BETWEEN 200 AND 399) AS accepted,
       uniqExactIf(id, status IN (403, 406)) AS blocked, uniqExactIf(id, status BETWEEN 400 AND 499) AS rejected,
       uniqExactIf(id, status >= 500) AS failed, max(reached) AS score,
       groupUniqArray(100)((kind, actor_id)) AS actors, groupUniqArray(100)(client_ip) AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, summary)) AS evidence
FROM running
WHERE points > 0
GROUP BY window_start, who
HAVING score >= 1
