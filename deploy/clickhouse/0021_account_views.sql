-- What messages cost, to be read: the ledger in credits, each account now, each month, and what is held.
-- A third of a credit is exact in units (1/3,000,000 credit): sum those. `credits` is rounded to six decimals.

CREATE OR REPLACE VIEW twoway.account_ledger AS
SELECT
    entry_id,
    account,
    sequence,
    kind,
    units,
    toDecimal128(intDiv(toInt128(units) + sign(units), 3), 6) / 1000000 AS credits,
    balance AS balance_units,
    toDecimal128(intDiv(toInt128(balance) + sign(balance), 3), 6) / 1000000 AS balance_credits,
    reference,
    number,
    parts,
    charged_at,
    at,
    actor,
    reason
FROM twoway.account_entry_rows FINAL;

CREATE OR REPLACE VIEW twoway.account_month AS
SELECT
    account,
    toStartOfMonth(at, 'UTC') AS month,
    kind,
    count() AS entries,
    sum(parts) AS parts,
    sum(units) AS units,
    toDecimal128(intDiv(toInt128(units) + sign(units), 3), 6) / 1000000 AS credits
FROM twoway.account_entry_rows FINAL
GROUP BY account, month, kind;

-- First in, first out: of each account nothing is held that was charged well before what was booked last. Two days
-- are more than the times of two partitions lie apart. So neither all charges nor all releases are read.

CREATE OR REPLACE VIEW twoway.account_held AS
WITH
    (
        SELECT min(last) - INTERVAL 2 DAY
        FROM
        (
            SELECT account, max(at) AS last
            FROM
            (
                SELECT account, max(charged_at) AS at FROM twoway.account_entry_rows
                WHERE kind = 'mo' GROUP BY account
                UNION ALL
                SELECT account, toDateTime64('1970-01-03 00:00:00', 3, 'UTC') AS at
                FROM twoway.account_charge_rows WHERE is_held GROUP BY account
            )
            GROUP BY account
        )
    ) AS since
SELECT
    charge_id,
    account,
    number,
    parts,
    units,
    toDecimal128(intDiv(toInt128(units) + sign(units), 3), 6) / 1000000 AS credits,
    flags,
    part_ids,
    at
FROM twoway.account_charge_rows
WHERE is_held AND at >= since
    AND charge_id NOT IN
    (
        SELECT charge_id FROM twoway.account_release_rows WHERE at >= since - INTERVAL 2 DAY
    )
ORDER BY kafka_offset
LIMIT 1 BY account, charge_id;

CREATE OR REPLACE VIEW twoway.account_now AS
SELECT
    account,
    sum(balance) AS balance_units,
    toDecimal128(intDiv(toInt128(balance_units) + sign(balance_units), 3), 6) / 1000000 AS balance_credits,
    sum(entry) AS entries,
    max(booked) AS booked_at,
    sum(charge) AS held,
    sum(held_of_one) AS held_units,
    toDecimal128(intDiv(toInt128(held_units) + sign(held_units), 3), 6) / 1000000 AS held_credits,
    max(oldest) AS oldest_held_at
FROM
(
    SELECT
        account, argMax(balance, sequence) AS balance, max(sequence) AS entry,
        toNullable(argMax(at, sequence)) AS booked, 0 AS charge, 0 AS held_of_one,
        CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))') AS oldest
    FROM twoway.account_entry_rows GROUP BY account
    UNION ALL
    SELECT
        account, 0, 0, CAST(NULL, 'Nullable(DateTime64(3, \'UTC\'))'), count(), sum(units),
        toNullable(min(at))
    FROM twoway.account_held GROUP BY account
)
GROUP BY account;
