-- One row per address, pattern and window: the first hit is the condition.
SELECT window_start, client_ip, indicator,
       min(ts) AS first_seen, max(ts) AS last_seen, min(ts) AS detected_at, count() AS count,
       countIf(status BETWEEN 200 AND 399) AS accepted, max(confidence) AS strongest,
       groupUniqArray(100)((toString(actor_kind), actor_id)) AS actors, [client_ip] AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints,
       groupArraySorted(10)((ts, id, concat(summary, ', user agent matched ', indicator))) AS evidence
FROM
(
    SELECT ts, id, client_ip, actor_kind, actor_id, status, indicator, confidence,
           toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start,
           if(template = '', '', concat(method, ' ', host, ' ', template)) AS place,
           concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary
    FROM observed
    ARRAY JOIN indicator_class AS class, indicator_id AS indicator, indicator_confidence AS confidence
    WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
      AND notEmpty(indicator_class) AND class = 'suspicious_user_agent' AND confidence >= {confidence:Float64}
)
GROUP BY window_start, client_ip, indicator
