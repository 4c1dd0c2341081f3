-- Of a dead letter that was cut: the length and the digest of the whole.

ALTER TABLE twoway.dead_letter_rows
    ADD COLUMN IF NOT EXISTS whole_length Int64 AFTER at,
    ADD COLUMN IF NOT EXISTS whole_sha256 String AFTER whole_length;

CREATE OR REPLACE VIEW twoway.dead_letter AS SELECT * FROM twoway.dead_letter_rows FINAL;
