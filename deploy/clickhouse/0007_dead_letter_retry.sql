-- Dead letters that were sent through again. A letter that came of it names the one before in the
-- header twoway-retry-of.

CREATE TABLE IF NOT EXISTS twoway.dead_letter_retry_rows
(
    dead_letter_id String,
    topic LowCardinality(String),
    reason LowCardinality(String),
    words String,
    actor LowCardinality(String),
    at DateTime64(3, 'UTC'),
    kafka_partition Int32,
    kafka_offset Int64
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (dead_letter_id, at, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.dead_letter_retry AS SELECT * FROM twoway.dead_letter_retry_rows FINAL;
