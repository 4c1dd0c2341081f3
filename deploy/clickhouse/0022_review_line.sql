-- The messages that may be meant as a stop, by themselves: one of many lines is such a message, so looking for
-- them in `conversation_line_rows` read the flags of every line.
--
-- A copy as `conversation_line_rows` is: a materialised view fills it as rows are inserted, `pipeline/whose` knows
-- it, and the same line twice is one row after a merge. Whether a message is decided is in `consent_request`.

CREATE TABLE IF NOT EXISTS twoway.review_line_rows
(
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id String CODEC(ZSTD(1)),
    handset String CODEC(ZSTD(1)),
    number LowCardinality(String),
    text String CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)),
    written_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (at, id, handset)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS twoway.review_line_of_mo_message
TO twoway.review_line_rows AS
SELECT
    gateway_time AS at, message_id AS id, handset, number, text, flags, written_at, kafka_partition,
    kafka_offset
FROM twoway.mo_message_rows
WHERE has(flags, 'review');

-- What was stored before. Run twice, it writes the same rows again, and they replace each other.

INSERT INTO twoway.review_line_rows
    (at, id, handset, number, text, flags, written_at, kafka_partition, kafka_offset)
SELECT
    gateway_time, message_id, handset, number, text, flags, written_at, kafka_partition, kafka_offset
FROM twoway.mo_message_rows
WHERE has(flags, 'review')
SETTINGS max_partitions_per_insert_block = 0;
