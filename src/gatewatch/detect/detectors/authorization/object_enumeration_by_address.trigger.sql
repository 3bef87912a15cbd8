-- Some address touched nearly enough objects of one kind in one window, as several actors.
SELECT 1
FROM object_access
WHERE slot >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND slot < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
GROUP BY slot, endpoint_id, location, name, client_ip
HAVING uniqCombinedMerge(12)(values) >= 0.9 * {values:UInt32} AND uniqExact(actor_id) >= 3
LIMIT 1
