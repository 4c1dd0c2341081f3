-- Orders to erase, which are erased with the rest of their handset; what was erased, which holds no number;
-- and the digits of whom is being erased, in memory alone, so that no mutation has to name them.

CREATE TABLE IF NOT EXISTS twoway.forget_request_rows
(
    request_id String,
    handset String CODEC(ZSTD(1)),
    actor LowCardinality(String),
    reason String CODEC(ZSTD(1)),
    requested_at DateTime64(3, 'UTC'),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(requested_at)
ORDER BY (handset, requested_at, request_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS twoway.erasure_rows
(
    erasure_id String,
    suppression String,
    key_id LowCardinality(String),
    request_id String,
    order_offset Int64,
    at DateTime64(3, 'UTC'),
    actor LowCardinality(String),
    reason String CODEC(ZSTD(1)),
    rows Array(Tuple(name LowCardinality(String), rows Int64)),
    stops Array(Tuple(
        scope_kind LowCardinality(String),
        scope String,
        state LowCardinality(String),
        gateway_state LowCardinality(String),
        since DateTime64(3, 'UTC'))),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (suppression, at, erasure_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS twoway.erasing (handset String) ENGINE = Memory;

CREATE VIEW IF NOT EXISTS twoway.forget_request AS SELECT * FROM twoway.forget_request_rows FINAL;
CREATE VIEW IF NOT EXISTS twoway.erasure AS SELECT * FROM twoway.erasure_rows FINAL;
