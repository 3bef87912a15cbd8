SELECT id,
       concat(formatDateTime(ts, '%Y-%m-%dT%H:%i:%S', 'UTC'), '.', leftPad(toString(toUnixTimestamp64Milli(ts) % 1000), 3, '0'), 'Z') AS ts,
       if(endpoint_id = 0, NULL, lower(leftPad(hex(endpoint_id), 16, '0'))) AS endpoint_id,
       method, host, if(o.endpoint_id = 0, NULL, o.template) AS template, nullIf(o.operation, '') AS operation, status, source,
       CAST(tuple(actor_kind, actor_id), 'Tuple(kind String, id String)') AS actor,
       auth_scheme, replaceOne(toString(client_ip), '::ffff:', '') AS client_ip, external, user_agent, login_attempt,
       arrayMap((c, l, n, f, i, s) -> CAST(tuple(c, l, n, round(toFloat64(f), 3), i, s),
                'Tuple(class String, location String, name String, confidence Float64, indicator String, snippet String)'),
                indicator_class, indicator_location, indicator_name, indicator_confidence, indicator_id, indicator_snippet) AS indicators,
       arrayMap((t, l, p) -> CAST(tuple(t, l, p), 'Tuple(type String, location String, path String)'),
                information_type, information_location, information_path) AS information_types,
       response_signals, cut
FROM observed AS o
WHERE block >= {first_block:UInt64} AND block < {end_block:UInt64}
  AND o.ts >= fromUnixTimestamp64Milli(toInt64({since:Float64} * 1000), 'UTC') AND o.ts < fromUnixTimestamp64Milli(toInt64({until:Float64} * 1000), 'UTC')
  AND ({all:Bool} OR id IN {ids:Array(String)})
ORDER BY block, row
