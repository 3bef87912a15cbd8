-- Raw observations, one row a transaction. Column for column `observe/columns.py: SCHEMA` (tested).
-- Every table that a dependent view writes to has its own deduplication window: without it a block that is sent again
-- after a crash is counted twice in the views (DESIGN section 2).
CREATE TABLE observations
(
    ts                    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    block                 UInt64 CODEC(Delta, ZSTD(1)),
    row                   UInt32 CODEC(Delta, ZSTD(1)),
    id                    String CODEC(ZSTD(1)),
    source                LowCardinality(String),
    path_id               UInt64,
    method                LowCardinality(String),
    host                  LowCardinality(String),
    status                UInt16,
    latency_ms            Float32,
    request_size          UInt64,
    response_size         UInt64,
    evidence              UInt32,
    actor_kind            LowCardinality(String),
    actor_id              String,
    auth_scheme           LowCardinality(String),
    credential            UInt64,
    auth_issuer           LowCardinality(String),
    auth_algorithm        LowCardinality(String),
    auth_expires          Int64,
    client_ip             IPv6,
    external              Bool,
    user_agent            LowCardinality(String),
    user_agent_value      UInt64,
    login_attempt         Bool,
    login_user            UInt64,
    login_secret          UInt64,
    content_type          LowCardinality(String),
    response_shape        UInt64,
    response_signals      Array(LowCardinality(String)),
    cut                   Array(LowCardinality(String)),
    parameter_location    Array(LowCardinality(String)),
    parameter_name        Array(LowCardinality(String)),
    parameter_type        Array(LowCardinality(String)),
    parameter_length      Array(UInt32),
    parameter_value       Array(UInt64),
    parameter_reference   Array(Bool),
    information_type      Array(LowCardinality(String)),
    information_location  Array(LowCardinality(String)),
    information_path      Array(LowCardinality(String)),
    information_count     Array(UInt32),
    indicator_class       Array(LowCardinality(String)),
    indicator_id          Array(LowCardinality(String)),
    indicator_location    Array(LowCardinality(String)),
    indicator_name        Array(LowCardinality(String)),
    indicator_confidence  Array(Float32),
    indicator_snippet     Array(String),
    INDEX by_block block TYPE minmax GRANULARITY 1,
    INDEX by_id id TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(ts)
ORDER BY (toStartOfHour(ts), path_id, ts)
SETTINGS non_replicated_deduplication_window = 1000;

-- Which endpoint a path id belongs to now. A merge or a split is a few rows here; history follows at once.
CREATE TABLE paths
(
    path_id    UInt64,
    endpoint_id UInt64,
    method     LowCardinality(String),
    host       LowCardinality(String),
    template   String,
    operation  String,
    state      LowCardinality(String),
    reason     LowCardinality(String),
    confidence Float32,
    why        String,
    version    UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY path_id;

-- Looked up once per row by every view below: 4.4 ms against 18.5 ms for a join of 100,000 paths (docs/decisions/0003).
CREATE DICTIONARY paths_now
(
    path_id UInt64,
    endpoint_id UInt64,
    template String,
    operation String
)
PRIMARY KEY path_id
SOURCE(CLICKHOUSE(QUERY 'SELECT path_id, endpoint_id, template, operation FROM {{database}}.paths FINAL'))
LAYOUT(HASHED())
LIFETIME(0);

-- Address lists. Ranges of one list do not overlap, so an ASOF JOIN on `first` finds the only candidate.
CREATE TABLE address_ranges
(
    list   LowCardinality(String),
    first  IPv6,
    last   IPv6,
    label  LowCardinality(String),
    detail String
)
ENGINE = MergeTree
PARTITION BY list
ORDER BY (list, first);
