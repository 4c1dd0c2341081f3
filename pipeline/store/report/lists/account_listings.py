"""The lists of accounts: entries of the ledger, charges of messages in, and what is not released.

They hold neither a text nor a handset. Amounts are exact in units of 1/3,000,000 credit.
"""

from __future__ import annotations

from typing import Final

from pipeline.store.report.lists.columns import Column, named
from pipeline.store.report.lists.filled import filled
from pipeline.store.report.lists.listings import LISTINGS, Listing

_OWN: Final = {"account": "account = {account:String}"}
_TAKES: Final = frozenset({"number", "from", "to"})
_OF_CHARGES: Final = "account-charge account-release"
_THEN: Final = "at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}"
_AMOUNT: Final = (Column("units", "count"), Column("credits"))
#: As `account_held`: of charges since the first time that is asked for.
_RELEASED: Final = f"""\
SELECT charge_id, account, toString(number) AS number, parts, units, toString(credits) AS credits,
    flags, at, released_at, if(released_at IS NULL, 'no', 'yes') AS released
FROM
(
    SELECT
        charge_id, account, number, parts, units, flags, at,
        toDecimal128(intDiv(toInt128(units) + sign(units), 3), 6) / 1000000 AS credits
    FROM twoway.account_charge_rows
    WHERE kind = 'mo' AND {_THEN} AND [number number]
    ORDER BY kafka_offset LIMIT 1 BY account, charge_id
) AS charge
LEFT JOIN
(
    SELECT charge_id, toNullable(min(at)) AS released_at FROM
    (
        SELECT charge_id, at FROM twoway.account_release_rows
        WHERE at >= {{since:DateTime64(3, 'UTC')}} - INTERVAL 1 DAY
        UNION ALL
        SELECT charge_id, at FROM twoway.account_charge_rows
        WHERE kind = 'mo' AND NOT is_held AND {_THEN}
    )
    GROUP BY charge_id
) AS released USING charge_id"""  # noqa: S608  names of ours

ENTRIES: Final = Listing(
    name="account-entries",
    topics="account-entry",
    is_standing=True,  # the whole ledger, of whatever time
    title="Ledger",
    about="What was credited and what was charged. Sum the units: thirds are exact in them alone.",
    empty="Nothing was booked in this time.",
    columns=named(
        Column("at", "time", "booked"), "account", Column("sequence", "count", "entry"),
        Column("kind", "tag"), "number", Column("parts", "count"), *_AMOUNT,
        Column("balance_units", "count", aside=True), Column("balance"),
        Column("charged_at", "time", "charged", aside=True), Column("reference", "id", aside=True),
        "actor", Column("reason", "words"), Column("place", aside=True),
    ),
    key=("at", "place"),
    takes=_TAKES,
    own=_OWN,
    sql=filled(
        f"""\
SELECT at, account, sequence, kind, toString(ledger.number) AS number, parts, units,
    toString(credits) AS credits, balance_units, toString(balance_credits) AS balance, charged_at,
    reference, actor, reason, leftPad(toString(sequence), 19, '0') AS place
FROM twoway.account_ledger AS ledger WHERE {_THEN} AND [number ledger.number]"""  # noqa: S608
    ),
)  # fmt: skip
CHARGES: Final = Listing(
    name="charges",
    topics=_OF_CHARGES,
    title="Messages in and their charges",
    about="What each message in costs, and when it was released. Held ones show no text.",
    empty="No message was charged in this time.",
    columns=named(
        "at", "account", "number", Column("parts", "count"), *_AMOUNT,
        Column("released_at", "time", "released at"), Column("released", "tag"),
        Column("flags", "flags"), Column("charge_id", "id", aside=True),
    ),
    key=("at", "charge_id"),
    takes=_TAKES,
    own=_OWN | {"released": "released = {released:String}"},
    sql=filled(_RELEASED),
)  # fmt: skip
UNRELEASED: Final = Listing(
    name="unreleased",
    topics=_OF_CHARGES,
    is_standing=True,
    title="Unreleased messages",
    about="They wait until the account has credits, first in, first out. Their text is not shown.",
    empty="Nothing waits for credits.",
    columns=named(
        "at", "account", "number", Column("parts", "count"), *_AMOUNT, Column("flags", "flags"),
        Column("charge_id", "id"),
    ),
    key=("at", "charge_id"),
    takes=_TAKES,
    own=_OWN,
    sql=filled(
        f"""\
SELECT at, account, toString(held.number) AS number, parts, units,
    toString(credits) AS credits, flags, charge_id
FROM twoway.account_held AS held WHERE {_THEN} AND [number held.number]"""  # noqa: S608
    ),
)  # fmt: skip
#: Every list of the report, in the order of its page.
EVERY_LISTING: Final = LISTINGS | {
    listing.name: listing for listing in (ENTRIES, CHARGES, UNRELEASED)
}
