-- Some address touched enough endpoints, or called enough paths that are none, in one window.
SELECT 1
FROM traffic_minute
WHERE minute >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
GROUP BY intDiv(toUnixTimestamp(minute), {window_s:UInt32}), client_ip
HAVING (uniqExactIf(endpoint_id, endpoint_id != 0) >= {endpoints:UInt32}
        AND sumIf(calls, status IN (400, 401, 403, 404, 405, 501)) >= {refused_share:Float64} * {endpoints:UInt32})
    OR sumIf(calls, endpoint_id = 0) >= {unknown_calls:UInt32}
LIMIT 1
