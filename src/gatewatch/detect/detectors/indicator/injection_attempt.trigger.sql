-- Any indicator at all.
SELECT 1
FROM observations
WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND notEmpty(indicator_class)
LIMIT 1
