-- One table to page over: every message in, every command and every refusal as one line, by time.
--
-- Rows are copied by materialised views as they are inserted; `pipeline/whose` knows the copies, so
-- that an erasure deletes them too. `record` names the topic that a line is of, whose offsets it has.
-- Sorted by (at, id, handset), the order of the pages: a page is read from where the one before ended, and the
-- same line twice stands side by side, so that no FINAL is needed. `key` is MD5(id), short enough
-- to look up many.

CREATE TABLE IF NOT EXISTS twoway.conversation_line_rows
(
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    id String CODEC(ZSTD(1)),
    key FixedString(16) DEFAULT MD5(id) CODEC(NONE),
    record LowCardinality(String),
    direction LowCardinality(String),
    handset String CODEC(ZSTD(1)),
    number LowCardinality(String),
    api_id LowCardinality(String),
    account LowCardinality(String),
    way LowCardinality(String),
    keyword String CODEC(ZSTD(1)),
    text String CODEC(ZSTD(1)),
    encoding LowCardinality(String),
    parts Int32,
    parts_missing Array(Int32),
    complete Bool,
    lossy Bool,
    flags Array(LowCardinality(String)),
    purpose LowCardinality(String),
    rule LowCardinality(String),
    detail String CODEC(ZSTD(1)),
    request_id String CODEC(ZSTD(1)),
    command_id String CODEC(ZSTD(1)),
    stored_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    written_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_handset handset TYPE bloom_filter(0.002) GRANULARITY 1,
    INDEX by_number number TYPE set(256) GRANULARITY 4,
    INDEX by_flag flags TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_words lowerUTF8(text) TYPE ngrambf_v1(3, 4096, 2, 0) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (at, id, handset)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS twoway.conversation_line_of_mo_message
TO twoway.conversation_line_rows AS
SELECT
    gateway_time AS at, message_id AS id, MD5(message_id) AS key, 'mo-message' AS record,
    'MO' AS direction, handset, number, api_id, account, source AS way,
    upperUTF8(substringUTF8(extract(text, '^[\\s\\p{P}]*([^\\s\\p{P}]+)'), 1, 32)) AS keyword, text,
    charset AS encoding, parts_total AS parts, parts_missing, complete, lossy, flags,
    now64(3, 'UTC') AS stored_at, written_at, kafka_partition, kafka_offset
FROM twoway.mo_message_rows;

CREATE MATERIALIZED VIEW IF NOT EXISTS twoway.conversation_line_of_mt_command
TO twoway.conversation_line_rows AS
SELECT
    at, command_id AS id, MD5(command_id) AS key, 'mt-command' AS record,
    'MT' AS direction, handset, sender_id AS number, api_id, account, upperUTF8(keyword) AS keyword,
    text, encoding, parts, true AS complete, purpose, request_id, command_id,
    now64(3, 'UTC') AS stored_at, written_at, kafka_partition, kafka_offset
FROM twoway.mt_command_rows;

CREATE MATERIALIZED VIEW IF NOT EXISTS twoway.conversation_line_of_mt_rejection
TO twoway.conversation_line_rows AS
SELECT
    at, rejection_id AS id, MD5(rejection_id) AS key, 'mt-rejection' AS record,
    'MT' AS direction, handset, sender_id AS number, true AS complete, rule, detail, request_id,
    command_id, now64(3, 'UTC') AS stored_at, written_at, kafka_partition, kafka_offset
FROM twoway.mt_rejection_rows;

-- The last state of each command, by the same key: what a page looks up for its commands. The row with
-- the highest offset counts; the rows that it replaces are there until they are merged away.

CREATE TABLE IF NOT EXISTS twoway.mt_last_state_rows
(
    key FixedString(16) CODEC(NONE),
    handset String CODEC(ZSTD(1)),
    state LowCardinality(String),
    code LowCardinality(String),
    words String CODEC(ZSTD(1)),
    charge LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    written_at DateTime64(3, 'UTC') CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(kafka_offset)
ORDER BY (key, handset)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS twoway.mt_last_state_of_mt_state
TO twoway.mt_last_state_rows AS
SELECT
    MD5(command_id) AS key, handset, state, code, words, charge, at, written_at, kafka_partition,
    kafka_offset
FROM twoway.mt_state_rows;

CREATE VIEW IF NOT EXISTS twoway.conversation_line AS
SELECT * EXCEPT key FROM twoway.conversation_line_rows FINAL;

-- What was stored before. Run twice, it writes the same lines again, and they replace each other.

INSERT INTO twoway.conversation_line_rows
    (at, id, record, direction, handset, number, api_id, account, way, keyword, text, encoding, parts,
    parts_missing, complete, lossy, flags, stored_at, written_at, kafka_partition, kafka_offset)
SELECT
    gateway_time, message_id, 'mo-message', 'MO', handset, number, api_id, account, source,
    upperUTF8(substringUTF8(extract(text, '^[\\s\\p{P}]*([^\\s\\p{P}]+)'), 1, 32)), text, charset, parts_total,
    parts_missing, complete, lossy, flags, now64(3, 'UTC'), written_at, kafka_partition, kafka_offset
FROM twoway.mo_message_rows
SETTINGS max_partitions_per_insert_block = 0;

INSERT INTO twoway.conversation_line_rows
    (at, id, record, direction, handset, number, api_id, account, keyword, text, encoding, parts,
    complete, purpose, request_id, command_id, stored_at, written_at, kafka_partition, kafka_offset)
SELECT
    at, command_id, 'mt-command', 'MT', handset, sender_id, api_id, account, upperUTF8(keyword), text,
    encoding, parts, true, purpose, request_id, command_id, now64(3, 'UTC'), written_at,
    kafka_partition, kafka_offset
FROM twoway.mt_command_rows
SETTINGS max_partitions_per_insert_block = 0;

INSERT INTO twoway.conversation_line_rows
    (at, id, record, direction, handset, number, complete, rule, detail, request_id, command_id,
    stored_at, written_at, kafka_partition, kafka_offset)
SELECT
    at, rejection_id, 'mt-rejection', 'MT', handset, sender_id, true, rule, detail, request_id,
    command_id, now64(3, 'UTC'), written_at, kafka_partition, kafka_offset
FROM twoway.mt_rejection_rows
SETTINGS max_partitions_per_insert_block = 0;

INSERT INTO twoway.mt_last_state_rows
    (key, handset, state, code, words, charge, at, written_at, kafka_partition, kafka_offset)
SELECT
    MD5(command_id), handset, state, code, words, charge, at, written_at, kafka_partition, kafka_offset
FROM twoway.mt_state_rows;
