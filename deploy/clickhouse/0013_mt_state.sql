-- How each command stands, as the worker decided it, and what senders saw of it.

ALTER TABLE twoway.mt_result_rows
    ADD COLUMN IF NOT EXISTS way LowCardinality(String) AFTER at,
    ADD COLUMN IF NOT EXISTS api_id LowCardinality(String) AFTER way,
    ADD COLUMN IF NOT EXISTS holder LowCardinality(String) AFTER api_id,
    ADD COLUMN IF NOT EXISTS part_number Int32 AFTER holder,
    ADD COLUMN IF NOT EXISTS gateway_message_ids Array(String) AFTER part_number,
    ADD COLUMN IF NOT EXISTS status LowCardinality(String) AFTER gateway_message_ids,
    ADD COLUMN IF NOT EXISTS charge String AFTER status,
    ADD COLUMN IF NOT EXISTS gateway_at Nullable(DateTime64(3, 'UTC')) AFTER charge,
    ADD COLUMN IF NOT EXISTS source LowCardinality(String) DEFAULT 'answer' AFTER gateway_at,
    ADD COLUMN IF NOT EXISTS is_temporary Bool AFTER source,
    ADD COLUMN IF NOT EXISTS retry_after_seconds Int32 AFTER is_temporary;

CREATE OR REPLACE VIEW twoway.mt_result AS SELECT * FROM twoway.mt_result_rows FINAL;

CREATE TABLE IF NOT EXISTS twoway.mt_state_rows
(
    state_id String,
    command_id String,
    request_id String,
    handset String CODEC(ZSTD(1)),
    state LowCardinality(String),
    attempt Int32,
    parts Array(Int32),
    holder LowCardinality(String),
    until Nullable(DateTime64(3, 'UTC')),
    retry_at Nullable(DateTime64(3, 'UTC')),
    behind String,
    gateway_message_ids Array(String),
    code LowCardinality(String),
    words String CODEC(ZSTD(1)),
    charge String,
    charge_units Int64,
    source LowCardinality(String),
    ask_gateway Bool,
    consent_asked_at Nullable(DateTime64(3, 'UTC')),
    at DateTime64(3, 'UTC'),
    written_at DateTime64(3, 'UTC') DEFAULT at CODEC(ZSTD(1)),
    kafka_partition Int32,
    kafka_offset Int64 CODEC(Delta, ZSTD(1)),
    INDEX by_time at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(written_at)
ORDER BY (handset, at, state_id)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE VIEW IF NOT EXISTS twoway.mt_state AS SELECT * FROM twoway.mt_state_rows FINAL;

-- How each command stands now. All records of a command are of one partition, whose offsets are their
-- order. A handset that is asked for is looked up in the rows alone (`handset = …`): over 2,000,000 rows 4 ms.

CREATE VIEW IF NOT EXISTS twoway.mt_now AS
SELECT * FROM twoway.mt_state_rows
ORDER BY kafka_offset DESC
LIMIT 1 BY handset, command_id;

-- An MT says in its note what became of it, once the worker has said so: `reply; delivered 004`.

CREATE OR REPLACE VIEW twoway.two_way AS
SELECT at, direction, handset, number, text, id, note
FROM
(
    SELECT
        gateway_time AS at,
        'MO' AS direction,
        handset,
        toString(number) AS number,
        text,
        message_id AS id,
        arrayStringConcat(arrayFilter(word -> word != '', arrayConcat(
            [
                if(empty(parts_missing), '', concat('incomplete: ',
                    arrayStringConcat(arrayMap(part -> toString(part), parts_missing), ', '),
                    ' of ', toString(parts_total), ' missing')),
                if(lossy, 'lossy', '')
            ],
            arrayMap(flag -> toString(flag), flags))), '; ') AS note
    FROM twoway.mo_message_rows FINAL
    UNION ALL
    SELECT
        command.at AS at,
        'MT' AS direction,
        command.handset AS handset,
        toString(command.sender_id) AS number,
        command.text AS text,
        command.command_id AS id,
        concat(toString(command.purpose),
            if(now.state = '', '', concat('; ', toString(now.state))),
            if(now.code = '', '', concat(' ', toString(now.code))),
            if(now.words = '', '', concat(' (', now.words, ')'))) AS note
    FROM (SELECT * FROM twoway.mt_command_rows FINAL) AS command
    LEFT JOIN twoway.mt_now AS now
    ON now.handset = command.handset AND now.command_id = command.command_id
    UNION ALL
    SELECT
        at,
        'MT' AS direction,
        handset,
        toString(sender_id) AS number,
        '' AS text,
        rejection_id AS id,
        concat('refused: ', toString(rule), if(detail = '', '', concat(' (', detail, ')'))) AS note
    FROM twoway.mt_rejection_rows FINAL
)
ORDER BY at, handset, direction, id;
