-- Which sets of stop words, by language and by law, a number has.

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
        stop_words Array(String)));

CREATE OR REPLACE VIEW twoway.numbers AS SELECT * FROM twoway.numbers_rows FINAL;
