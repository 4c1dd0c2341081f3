-- The time of the readable line beside a line of mo.log whose own time cannot be read.

ALTER TABLE twoway.mo_raw_rows
    ADD COLUMN IF NOT EXISTS neighbour_time Nullable(DateTime64(3, 'UTC')) AFTER answered;

CREATE OR REPLACE VIEW twoway.mo_raw AS SELECT * FROM twoway.mo_raw_rows FINAL;
