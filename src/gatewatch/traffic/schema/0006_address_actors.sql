-- How many actors stand behind an address: what tells an office from an attacker when alerts are correlated.
CREATE TABLE address_actors_data
(
    hour      DateTime('UTC'),
    client_ip IPv6,
    actors    AggregateFunction(uniqCombined(12), String)
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (client_ip, hour)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW address_actors_feed TO address_actors_data AS
SELECT toStartOfHour(ts) AS hour, client_ip, uniqCombinedState(12)(actor_id) AS actors
FROM observations
WHERE actor_kind != 'address' AND actor_id != ''
GROUP BY hour, client_ip;

INSERT INTO address_actors_data
SELECT toStartOfHour(ts) AS hour, client_ip, uniqCombinedState(12)(actor_id) AS actors
FROM observations
WHERE actor_kind != 'address' AND actor_id != '' AND ts >= now() - INTERVAL 7 DAY
GROUP BY hour, client_ip;
