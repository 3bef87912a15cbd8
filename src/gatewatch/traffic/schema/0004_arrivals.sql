-- Which hours a block brought events of: what detection has to look at, however late an event comes (docs/decisions/0006).
CREATE TABLE arrivals
(
    block    UInt64,
    hour     DateTime('UTC'),
    first_ts DateTime64(3, 'UTC'),
    last_ts  DateTime64(3, 'UTC'),
    calls    UInt64,
    stored   DateTime('UTC') DEFAULT now('UTC')
)
ENGINE = MergeTree
ORDER BY (block, hour)
TTL stored + toIntervalDay(30)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW arrivals_feed TO arrivals AS
SELECT block, toStartOfHour(ts) AS hour, min(ts) AS first_ts, max(ts) AS last_ts, count() AS calls
FROM observations
GROUP BY block, hour;
