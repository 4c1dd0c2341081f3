-- What messages cost: charges, credits, the ledger, releases and notices. No table has a handset.

CREATE TABLE IF NOT EXISTS twoway.account_charge_rows
(
    charge_id String,
    account LowCardinality(String),
    kind LowCardinality(String),
    number LowCardinality(String),
    parts Int32,
    units Int64,
    is_stated Bool,
    is_held Bool,
    home Int32,
    part_ids Array(String),
    flags Array(LowCardinality(String)),
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_charge charge_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (account, at, charge_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.account_charge AS SELECT * FROM twoway.account_charge_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.account_credit_rows
(
    credit_id String,
    account LowCardinality(String),
    kind LowCardinality(String),
    units Int64,
    reference String,
    actor String,
    reason String,
    requested_at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT requested_at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time requested_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (account, requested_at, credit_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.account_credit AS SELECT * FROM twoway.account_credit_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.account_entry_rows
(
    entry_id String,
    account LowCardinality(String),
    sequence Int64 CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String),
    units Int64,
    balance Int64,
    reference String,
    number LowCardinality(String),
    parts Int32,
    charged_at DateTime64(3, 'UTC'),
    at DateTime64(3, 'UTC'),
    actor String,
    reason String,
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_reference reference TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (account, sequence, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.account_entry AS SELECT * FROM twoway.account_entry_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.account_release_rows
(
    charge_id String,
    account LowCardinality(String),
    entry_id String,
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1,
    INDEX by_charge charge_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (account, at, charge_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.account_release AS SELECT * FROM twoway.account_release_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.account_notice_rows
(
    notice_id String,
    account LowCardinality(String),
    balance Int64,
    notify_below Int64,
    sequence Int64,
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (account, at, notice_id, kafka_partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.account_notice AS SELECT * FROM twoway.account_notice_rows FINAL;

-- The prices of a number, and the accounts.

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
        reply_path LowCardinality(String),
        mo_price_units Nullable(Int64),
        mt_price_units Nullable(Int64))),
    ADD COLUMN IF NOT EXISTS accounts Array(Tuple(
        name LowCardinality(String),
        mode LowCardinality(String),
        mo_price_units Int64,
        mt_price_units Int64,
        notify_below_units Nullable(Int64))) AFTER reply_paths;

CREATE OR REPLACE VIEW twoway.numbers AS SELECT * FROM twoway.numbers_rows FINAL;
