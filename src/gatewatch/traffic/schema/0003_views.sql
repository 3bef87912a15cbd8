-- What everybody reads: the same data with the endpoint each path belongs to now. 0 is "no endpoint".

CREATE VIEW observed AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id,
       if(endpoint_id = 0, '', dictGetOrDefault('{{database}}.paths_now', 'template', path_id, '')) AS template,
       if(endpoint_id = 0, '', dictGetOrDefault('{{database}}.paths_now', 'operation', path_id, '')) AS operation
FROM observations;

CREATE VIEW traffic_minute AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM traffic_minute_data;

CREATE VIEW traffic_hour AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM traffic_hour_data;

CREATE VIEW client_hour AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM client_hour_data;

CREATE VIEW object_access AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM object_access_data;

CREATE VIEW parameter_profile AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM parameter_profile_data;

CREATE VIEW login_hour AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM login_hour_data;

CREATE VIEW endpoint_facts AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM endpoint_facts_data;

CREATE VIEW information_facts AS
SELECT *, dictGetOrDefault('{{database}}.paths_now', 'endpoint_id', path_id, toUInt64(0)) AS endpoint_id FROM information_facts_data;

CREATE VIEW paths_current AS
SELECT * FROM paths FINAL;

-- Every path row carries the description of the endpoint it belongs to; the newest decision speaks.
CREATE VIEW endpoints_current AS
SELECT endpoint_id, argMax(method, version) AS method, argMax(host, version) AS host, argMax(template, version) AS template,
       argMax(operation, version) AS operation, argMax(reason, version) AS reason, argMax(confidence, version) AS confidence,
       argMax(why, version) AS why
FROM paths FINAL
WHERE endpoint_id != 0
GROUP BY endpoint_id;
