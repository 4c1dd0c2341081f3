-- No time that a record states decides how many files there are: tables are partitioned by the month of
-- `written_at`, Kafka's time of the record, which nobody outside can state.
--
-- For rows of before it is the time of receipt or of asking, no earlier than the first migration here and
-- no later than now. A range of the stated time is found by an index, as it was by the partition before.
--
-- After these statements `pipeline/store/clickhouse/repartition.py` moves the rows.

ALTER TABLE twoway.mo_raw_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT received_at
        CODEC(ZSTD(1)) AFTER handset,
    ADD INDEX IF NOT EXISTS by_time received_at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mo_part_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT received_at
        CODEC(ZSTD(1)) AFTER raw_offset,
    ADD INDEX IF NOT EXISTS by_time gateway_time TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mo_message_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT received_at
        CODEC(ZSTD(1)) AFTER network_id,
    ADD INDEX IF NOT EXISTS by_time gateway_time TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.consent_change_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT recorded_at
        CODEC(ZSTD(1)) AFTER reason,
    ADD INDEX IF NOT EXISTS by_time recorded_at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mt_request_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT requested_at
        CODEC(ZSTD(1)) AFTER handset,
    ADD INDEX IF NOT EXISTS by_time requested_at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mt_command_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER mo_message_id,
    ADD INDEX IF NOT EXISTS by_time at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mt_rejection_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER at,
    ADD INDEX IF NOT EXISTS by_time at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.mt_result_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER at,
    ADD INDEX IF NOT EXISTS by_time at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.numbers_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT loaded_at
        CODEC(ZSTD(1)) AFTER sender_ids;

ALTER TABLE twoway.dead_letter_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER whole_sha256;

ALTER TABLE twoway.consent_request_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT requested_at
        CODEC(ZSTD(1)) AFTER requested_at,
    ADD INDEX IF NOT EXISTS by_time requested_at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.forget_request_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT requested_at
        CODEC(ZSTD(1)) AFTER requested_at,
    ADD INDEX IF NOT EXISTS by_time requested_at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.erasure_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER stops,
    ADD INDEX IF NOT EXISTS by_time at TYPE minmax GRANULARITY 1;

ALTER TABLE twoway.dead_letter_retry_rows
    ADD COLUMN IF NOT EXISTS written_at DateTime64(3, 'UTC') DEFAULT at
        CODEC(ZSTD(1)) AFTER at,
    ADD INDEX IF NOT EXISTS by_time at TYPE minmax GRANULARITY 1;

CREATE OR REPLACE VIEW twoway.mo_raw AS SELECT * FROM twoway.mo_raw_rows FINAL;
CREATE OR REPLACE VIEW twoway.mo_part AS SELECT * FROM twoway.mo_part_rows FINAL;
CREATE OR REPLACE VIEW twoway.mo_message AS SELECT * FROM twoway.mo_message_rows FINAL;
CREATE OR REPLACE VIEW twoway.consent_change AS SELECT * FROM twoway.consent_change_rows FINAL;
CREATE OR REPLACE VIEW twoway.mt_request AS SELECT * FROM twoway.mt_request_rows FINAL;
CREATE OR REPLACE VIEW twoway.mt_command AS SELECT * FROM twoway.mt_command_rows FINAL;
CREATE OR REPLACE VIEW twoway.mt_rejection AS SELECT * FROM twoway.mt_rejection_rows FINAL;
CREATE OR REPLACE VIEW twoway.mt_result AS SELECT * FROM twoway.mt_result_rows FINAL;
CREATE OR REPLACE VIEW twoway.numbers AS SELECT * FROM twoway.numbers_rows FINAL;
CREATE OR REPLACE VIEW twoway.dead_letter AS SELECT * FROM twoway.dead_letter_rows FINAL;
CREATE OR REPLACE VIEW twoway.consent_request AS SELECT * FROM twoway.consent_request_rows FINAL;
CREATE OR REPLACE VIEW twoway.forget_request AS SELECT * FROM twoway.forget_request_rows FINAL;
CREATE OR REPLACE VIEW twoway.erasure AS SELECT * FROM twoway.erasure_rows FINAL;
CREATE OR REPLACE VIEW twoway.dead_letter_retry AS SELECT * FROM twoway.dead_letter_retry_rows FINAL;
