-- Some endpoint saw enough users fail from enough addresses in one window.
SELECT 1
FROM observed
WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC') AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
  AND login_attempt AND login_user != 0 AND endpoint_id != 0
GROUP BY intDiv(toUnixTimestamp(ts), {window_s:UInt32}), endpoint_id
HAVING uniqExactIf(login_user, status >= 400 OR has(response_signals, 'login_failed')) >= {users:UInt32} AND uniqExact(client_ip) >= {addresses:UInt32}
LIMIT 1
