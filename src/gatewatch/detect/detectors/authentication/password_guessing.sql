-- Many different passwords for one account; a device that repeats one stale password stays at one.
SELECT window_start, login_user, min(ts) AS first_seen, max(ts) AS last_seen, minIf(ts, secrets >= {secrets:UInt32}) AS detected_at,
       count() AS count, max(secrets) AS secrets_tried, countIf(accepted_now) AS successes, uniqExact(client_ip) AS addresses,
       groupUniqArray(100)((kind, actor_id)) AS actors, groupUniqArray(100)(client_ip) AS client_ips,
       groupUniqArrayIf(100)(place, place != '') AS endpoints, groupArraySorted(10)((ts, id, summary)) AS evidence
FROM
(
    SELECT *, sum(new_secret) OVER (PARTITION BY window_start, login_user ORDER BY ts, id ROWS UNBOUNDED PRECEDING) AS secrets
    FROM
    (
        SELECT ts, id, client_ip, toString(actor_kind) AS kind, actor_id, login_user,
               toFloat64(intDiv(toUnixTimestamp(ts), {window_s:UInt32}) * {window_s:UInt32}) AS window_start,
               if(template = '', '', concat(method, ' ', host, ' ', template)) AS place, concat(method, ' ', if(template = '', host, template), ' answered ', toString(status)) AS summary, status < 400 AND NOT has(response_signals, 'login_failed') AS accepted_now,
               NOT accepted_now AND login_secret != 0
                   AND row_number() OVER (PARTITION BY window_start, login_user, accepted_now, login_secret ORDER BY ts, id) = 1 AS new_secret
        FROM observed
        WHERE ts >= fromUnixTimestamp64Milli(toInt64({window_start:Float64} * 1000), 'UTC')
      AND ts < fromUnixTimestamp64Milli(toInt64({window_end:Float64} * 1000), 'UTC')
          AND login_attempt AND login_user != 0
    )
)
GROUP BY window_start, login_user
HAVING secrets_tried >= {secrets:UInt32}
