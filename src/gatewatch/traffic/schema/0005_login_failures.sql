-- Logins that are refused with a status of success count as failures too.
ALTER TABLE login_hour_feed MODIFY QUERY
SELECT toStartOfHour(ts) AS hour, path_id, client_ip, count() AS attempts,
       countIf(status >= 400 OR has(response_signals, 'login_failed')) AS failures,
       uniqCombinedStateIf(12)(login_user, login_user != 0) AS users
FROM observations
WHERE login_attempt
GROUP BY hour, path_id, client_ip;
