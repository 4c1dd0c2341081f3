-- What is handed on to applications by reply paths: what was decided, what was seen, and how each stands.

CREATE TABLE IF NOT EXISTS twoway.mo_delivery_rows
(
    delivery_id String,
    path LowCardinality(String),
    kind LowCardinality(String),
    subject_id String,
    handset String CODEC(ZSTD(1)),
    number LowCardinality(String),
    state LowCardinality(String),
    attempt Int32,
    due_at Nullable(DateTime64(3, 'UTC')),
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_delivery delivery_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (handset, at, delivery_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.mo_delivery AS SELECT * FROM twoway.mo_delivery_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.mo_delivery_result_rows
(
    delivery_id String,
    path LowCardinality(String),
    kind LowCardinality(String),
    subject_id String,
    handset String CODEC(ZSTD(1)),
    attempt Int32,
    outcome LowCardinality(String),
    status LowCardinality(String),
    words String CODEC(ZSTD(1)),
    duration_ms Int32,
    retry_after_seconds Int32,
    is_throttled Bool,
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_delivery delivery_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (handset, at, delivery_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.mo_delivery_result AS SELECT * FROM twoway.mo_delivery_result_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.delivery_request_rows
(
    request_id String,
    action LowCardinality(String),
    delivery_id String,
    path LowCardinality(String),
    handset String CODEC(ZSTD(1)),
    topic LowCardinality(String),
    octets String CODEC(ZSTD(1)),
    actor String,
    requested_at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT requested_at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time requested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (handset, requested_at, request_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.delivery_request AS SELECT * FROM twoway.delivery_request_rows FINAL;

-- How each delivery stands now. `delivered` follows from a result after the last decision, by Kafka's time; the
-- other states are the agent's. A delivery that is entered anew stands as its last record says.

CREATE VIEW IF NOT EXISTS twoway.delivery_now AS
SELECT
    decided.delivery_id AS delivery_id,
    decided.path AS path,
    decided.kind AS kind,
    decided.subject_id AS subject_id,
    decided.handset AS handset,
    decided.number AS number,
    if(done.at >= decided.written_at, 'delivered', toString(decided.state)) AS state,
    decided.attempt AS attempts,
    if(state = 'delivered', NULL, decided.due_at) AS due_at,
    toString(seen.status) AS status,
    seen.words AS words,
    seen.duration_ms AS duration_ms,
    decided.at AS decided_at,
    seen.at AS seen_at
FROM
(
    SELECT * FROM twoway.mo_delivery_rows
    ORDER BY kafka_offset DESC
    LIMIT 1 BY handset, delivery_id
) AS decided
LEFT JOIN
(
    SELECT * FROM twoway.mo_delivery_result_rows
    ORDER BY kafka_offset DESC
    LIMIT 1 BY handset, delivery_id
) AS seen
ON seen.handset = decided.handset AND seen.delivery_id = decided.delivery_id
LEFT JOIN
(
    SELECT handset, delivery_id, max(written_at) AS at FROM twoway.mo_delivery_result_rows
    WHERE outcome = 'delivered'
    GROUP BY handset, delivery_id
) AS done
ON done.handset = decided.handset AND done.delivery_id = decided.delivery_id;

-- The reply path of a number, and the paths.

ALTER TABLE twoway.numbers_rows
    MODIFY COLUMN numbers Array(Tuple(
        first String,
        last String,
        kind LowCardinality(String),
        api_id LowCardinality(String),
        account LowCardinality(String),
        keywords Array(String),
        premium Bool,
        mt_billed Bool,
        linked String,
        may_send Bool,
        strict Bool,
        extra_stop_words Array(String),
        custom_replies Array(Tuple(word String, enabled Bool, text Nullable(String), sent_by String)),
        stop_words Array(String),
        reply_path LowCardinality(String))),
    ADD COLUMN IF NOT EXISTS reply_paths Array(Tuple(
        name LowCardinality(String),
        way LowCardinality(String),
        url String,
        unit LowCardinality(String),
        charset LowCardinality(String),
        ordered Bool,
        events Array(LowCardinality(String)),
        internal Bool,
        tls LowCardinality(String),
        window Int32,
        timeout_seconds Int32,
        rotate_megabytes Int32)) AFTER sender_ids;

CREATE OR REPLACE VIEW twoway.numbers AS SELECT * FROM twoway.numbers_rows FINAL;
