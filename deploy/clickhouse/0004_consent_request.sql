-- Operators' orders about consent, and how reviews were decided: who, when and why.
--
-- The id is given from outside, so the place in Kafka is in the key: an order that was published to a
-- wrong partition is there twice.

CREATE TABLE IF NOT EXISTS twoway.consent_request_rows
(
    request_id String,
    handset String CODEC(ZSTD(1)),
    number LowCardinality(String),
    keyword LowCardinality(String),
    account LowCardinality(String),
    action LowCardinality(String),
    mo_message_id String,
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

CREATE VIEW IF NOT EXISTS twoway.consent_request AS SELECT * FROM twoway.consent_request_rows FINAL;
