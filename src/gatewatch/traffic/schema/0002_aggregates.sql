-- Aggregating views: what detectors and the inventory read instead of raw history.

CREATE TABLE traffic_minute_data
(
    minute         DateTime('UTC') CODEC(Delta, ZSTD(1)),
    path_id        UInt64,
    client_ip      IPv6,
    actor_kind     LowCardinality(String),
    actor_id       String,
    status         UInt16,
    calls          SimpleAggregateFunction(sum, UInt64),
    request_bytes  SimpleAggregateFunction(sum, UInt64),
    response_bytes SimpleAggregateFunction(sum, UInt64),
    first_ts       SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_ts        SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMMDD(minute)
ORDER BY (minute, path_id, client_ip, actor_kind, actor_id, status)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW traffic_minute_feed TO traffic_minute_data AS
SELECT toStartOfMinute(ts) AS minute, path_id, client_ip, actor_kind, actor_id, status,
       count() AS calls, sum(request_size) AS request_bytes, sum(response_size) AS response_bytes,
       min(ts) AS first_ts, max(ts) AS last_ts
FROM observations
GROUP BY minute, path_id, client_ip, actor_kind, actor_id, status;

CREATE TABLE traffic_hour_data
(
    hour           DateTime('UTC'),
    path_id        UInt64,
    status         UInt16,
    calls          SimpleAggregateFunction(sum, UInt64),
    request_bytes  SimpleAggregateFunction(sum, UInt64),
    response_bytes SimpleAggregateFunction(sum, UInt64),
    clients        AggregateFunction(uniqCombined(12), IPv6),
    actors         AggregateFunction(uniqCombined(12), String),
    latency        AggregateFunction(quantilesTDigest(0.5, 0.95, 0.99), Float32)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, path_id, status)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW traffic_hour_feed TO traffic_hour_data AS
SELECT toStartOfHour(ts) AS hour, path_id, status,
       count() AS calls, sum(request_size) AS request_bytes, sum(response_size) AS response_bytes,
       uniqCombinedState(12)(client_ip) AS clients, uniqCombinedState(12)(actor_id) AS actors,
       quantilesTDigestState(0.5, 0.95, 0.99)(latency_ms) AS latency
FROM observations
GROUP BY hour, path_id, status;

CREATE TABLE client_hour_data
(
    hour           DateTime('UTC'),
    path_id        UInt64,
    client_ip      IPv6,
    status         UInt16,
    calls          SimpleAggregateFunction(sum, UInt64),
    request_bytes  SimpleAggregateFunction(sum, UInt64),
    response_bytes SimpleAggregateFunction(sum, UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, path_id, client_ip, status)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW client_hour_feed TO client_hour_data AS
SELECT toStartOfHour(ts) AS hour, path_id, client_ip, status,
       count() AS calls, sum(request_size) AS request_bytes, sum(response_size) AS response_bytes
FROM observations
GROUP BY hour, path_id, client_ip, status;

CREATE TABLE object_access_data
(
    slot       DateTime('UTC'),
    path_id    UInt64,
    location   LowCardinality(String),
    name       LowCardinality(String),
    actor_kind LowCardinality(String),
    actor_id   String,
    client_ip  IPv6,
    calls      SimpleAggregateFunction(sum, UInt64),
    accepted   SimpleAggregateFunction(sum, UInt64),
    refused    SimpleAggregateFunction(sum, UInt64),
    missing    SimpleAggregateFunction(sum, UInt64),
    values     AggregateFunction(uniqCombined(12), UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(slot)
ORDER BY (slot, path_id, location, name, actor_kind, actor_id, client_ip)
SETTINGS non_replicated_deduplication_window = 1000;

-- 20 minutes is the window of Microsoft's enumeration alerts (reference/microsoft.md 1.1).
CREATE MATERIALIZED VIEW object_access_feed TO object_access_data AS
SELECT toStartOfInterval(ts, INTERVAL 20 MINUTE) AS slot, path_id, location, name, actor_kind, actor_id, client_ip,
       count() AS calls, countIf(status BETWEEN 200 AND 399) AS accepted, countIf(status IN (401, 403)) AS refused,
       countIf(status = 404) AS missing, uniqCombinedState(12)(value) AS values
FROM observations
ARRAY JOIN parameter_location AS location, parameter_name AS name, parameter_value AS value, parameter_reference AS reference
WHERE reference
GROUP BY slot, path_id, location, name, actor_kind, actor_id, client_ip;

CREATE TABLE parameter_profile_data
(
    day        Date,
    path_id    UInt64,
    location   LowCardinality(String),
    name       LowCardinality(String),
    type       LowCardinality(String),
    calls      SimpleAggregateFunction(sum, UInt64),
    length_min SimpleAggregateFunction(min, UInt32),
    length_max SimpleAggregateFunction(max, UInt32),
    values     AggregateFunction(uniqCombined(12), UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (path_id, day, location, name, type)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW parameter_profile_feed TO parameter_profile_data AS
SELECT toDate(ts) AS day, path_id, location, name, type,
       count() AS calls, min(length) AS length_min, max(length) AS length_max, uniqCombinedState(12)(value) AS values
FROM observations
ARRAY JOIN parameter_location AS location, parameter_name AS name, parameter_type AS type, parameter_length AS length,
           parameter_value AS value
GROUP BY day, path_id, location, name, type;

CREATE TABLE login_hour_data
(
    hour      DateTime('UTC'),
    path_id   UInt64,
    client_ip IPv6,
    attempts  SimpleAggregateFunction(sum, UInt64),
    failures  SimpleAggregateFunction(sum, UInt64),
    users     AggregateFunction(uniqCombined(12), UInt64)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, path_id, client_ip)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW login_hour_feed TO login_hour_data AS
SELECT toStartOfHour(ts) AS hour, path_id, client_ip, count() AS attempts, countIf(status >= 400) AS failures,
       uniqCombinedStateIf(12)(login_user, login_user != 0) AS users
FROM observations
WHERE login_attempt
GROUP BY hour, path_id, client_ip;

CREATE TABLE endpoint_facts_data
(
    path_id                UInt64,
    first_ts               SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_ts                SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    external_ts            SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    calls                  SimpleAggregateFunction(sum, UInt64),
    calls_none             SimpleAggregateFunction(sum, UInt64),
    calls_1xx              SimpleAggregateFunction(sum, UInt64),
    calls_2xx              SimpleAggregateFunction(sum, UInt64),
    calls_3xx              SimpleAggregateFunction(sum, UInt64),
    calls_4xx              SimpleAggregateFunction(sum, UInt64),
    calls_5xx              SimpleAggregateFunction(sum, UInt64),
    authenticated_accepted SimpleAggregateFunction(sum, UInt64),
    anonymous_accepted     SimpleAggregateFunction(sum, UInt64),
    anonymous_refused      SimpleAggregateFunction(sum, UInt64),
    credential_evidence    SimpleAggregateFunction(sum, UInt64),
    response_bodies        SimpleAggregateFunction(sum, UInt64),
    evidence               SimpleAggregateFunction(groupBitOr, UInt32),
    actors                 AggregateFunction(uniqCombined(12), String),
    clients                AggregateFunction(uniqCombined(12), IPv6),
    sources                SimpleAggregateFunction(groupUniqArrayArray, Array(String))
)
ENGINE = AggregatingMergeTree
ORDER BY path_id
SETTINGS non_replicated_deduplication_window = 1000;

-- 64 is Evidence.IDENTITY, 32 Evidence.RESPONSE_BODY. Accepted means answered 2xx or 304: a redirect may lead to a login page.
CREATE MATERIALIZED VIEW endpoint_facts_feed TO endpoint_facts_data AS
SELECT path_id, min(ts) AS first_ts, max(ts) AS last_ts, maxIf(ts, external) AS external_ts, count() AS calls,
       countIf(status < 100) AS calls_none, countIf(status BETWEEN 100 AND 199) AS calls_1xx,
       countIf(status BETWEEN 200 AND 299) AS calls_2xx, countIf(status BETWEEN 300 AND 399) AS calls_3xx,
       countIf(status BETWEEN 400 AND 499) AS calls_4xx, countIf(status >= 500) AS calls_5xx,
       countIf(auth_scheme != 'none' AND (status BETWEEN 200 AND 299 OR status = 304)) AS authenticated_accepted,
       countIf(auth_scheme = 'none' AND bitAnd(o.evidence, 64) != 0 AND (status BETWEEN 200 AND 299 OR status = 304)) AS anonymous_accepted,
       countIf(auth_scheme = 'none' AND bitAnd(o.evidence, 64) != 0 AND status IN (401, 403)) AS anonymous_refused,
       countIf(bitAnd(o.evidence, 64) != 0) AS credential_evidence,
       countIf(bitAnd(o.evidence, 32) != 0) AS response_bodies, groupBitOr(o.evidence) AS evidence,
       uniqCombinedState(12)(actor_id) AS actors, uniqCombinedState(12)(client_ip) AS clients,
       groupUniqArray(toString(source)) AS sources
FROM observations AS o
GROUP BY path_id;

CREATE TABLE information_facts_data
(
    path_id        UInt64,
    location       LowCardinality(String),
    path           LowCardinality(String),
    type           LowCardinality(String),
    transactions   SimpleAggregateFunction(sum, UInt64),
    status_classes SimpleAggregateFunction(groupUniqArrayArray, Array(UInt8)),
    first_ts       SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    last_ts        SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (path_id, location, path, type)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW information_facts_feed TO information_facts_data AS
SELECT path_id, location, path, type, count() AS transactions,
       groupUniqArray(toUInt8(intDiv(status, 100))) AS status_classes, min(ts) AS first_ts, max(ts) AS last_ts
FROM observations
ARRAY JOIN information_location AS location, information_path AS path, information_type AS type
GROUP BY path_id, location, path, type;
