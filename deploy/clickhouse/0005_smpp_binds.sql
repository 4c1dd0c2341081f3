-- What the SMPP receiver says of a deliver_sm: its bind and place there, and which answers arrived.

ALTER TABLE twoway.mo_raw_rows
    ADD COLUMN IF NOT EXISTS alphabet LowCardinality(String) AFTER octets,
    ADD COLUMN IF NOT EXISTS bind LowCardinality(String) AFTER alphabet,
    ADD COLUMN IF NOT EXISTS delivery Int64 AFTER bind,
    ADD COLUMN IF NOT EXISTS answered Array(Tuple(key String, bind String, delivery Int64))
        AFTER delivery;

CREATE OR REPLACE VIEW twoway.mo_raw AS SELECT * FROM twoway.mo_raw_rows FINAL;
