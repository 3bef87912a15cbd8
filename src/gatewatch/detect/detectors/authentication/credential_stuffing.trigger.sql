-- Some address failed for at least as many users as the query asks for. Hours hold windows: more here, never less.
SELECT 1
FROM login_hour
WHERE hour >= toStartOfHour(fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')) AND hour < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
GROUP BY client_ip
HAVING sum(failures) >= {few:UInt32} AND uniqCombinedMerge(12)(users) >= 0.9 * {few:UInt32}
LIMIT 1
