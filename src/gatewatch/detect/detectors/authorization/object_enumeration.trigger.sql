-- Somebody touched nearly enough objects of one kind in one window, with enough misses or enough to need none; the
-- view's counts of values are estimates (within 3 %).
SELECT 1
FROM object_access
WHERE slot >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND slot < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC') AND endpoint_id != 0
GROUP BY slot, endpoint_id, location, name, actor_kind, actor_id
HAVING uniqCombinedMerge(12)(values) >= 0.9 * {values:UInt32}
    OR (uniqCombinedMerge(12)(values) >= 0.9 * {missing_values:UInt32}
        AND sum(refused) + sum(missing) >= {missing_share:Float64} * {missing_values:UInt32})
LIMIT 1
