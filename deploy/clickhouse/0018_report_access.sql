-- Who took what out of the report, or decided what in it. No handset and no text is in it.

CREATE TABLE IF NOT EXISTS twoway.report_access_rows
(
    access_id String,
    action LowCardinality(String),
    actor LowCardinality(String),
    signed_in_by LowCardinality(String),
    address String CODEC(ZSTD(1)),
    rights Array(LowCardinality(String)),
    what String CODEC(ZSTD(1)),
    given String CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (at, access_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.report_access AS SELECT * FROM twoway.report_access_rows FINAL;
