-- Some address called one endpoint often enough in one window.
SELECT 1
FROM traffic_minute
WHERE minute >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND minute < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
GROUP BY intDiv(toUnixTimestamp(minute), {window_s:UInt32}), endpoint_id, client_ip
HAVING sum(calls) >= {calls:UInt32}
LIMIT 1
