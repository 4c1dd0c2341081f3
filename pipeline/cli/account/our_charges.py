"""What our ledger has of the messages of a time, each with the gateway's own ids."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.cli.account.comparing import OurCharge
from pipeline.cli.ask.report_client import report_of, rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.settings import Settings

#: Entries that are read at once, each page with the ids of its messages.
PAGE: Final = 10_000
#: A message may be charged so long after its last part came: assembly, and what waited before it.
LATEST_PART: Final = timedelta(days=8)
IDS_AT_ONCE: Final = 300  # of 128 characters: a question's body has at most 64 KiB

_PAGE: Final = f"""\
SELECT sequence, kind, reference, number, units,
    formatDateTime(charged_at, '%FT%T.%fZ', 'UTC') AS charged
FROM account_entry
WHERE account = {{account:String}} AND sequence > {{after:Int64}}
    AND charged_at >= toDateTime64({{since:String}}, 3, 'UTC')
    AND charged_at < toDateTime64({{until:String}}, 3, 'UTC')
    AND kind NOT IN ('credit', 'correction')
ORDER BY sequence LIMIT {PAGE}"""  # noqa: S608  names of ours
_OF_PAGE: Final = """\
SELECT reference FROM account_entry_rows
WHERE account = {account:String} AND sequence > {after:Int64} AND sequence <= {upto:Int64}"""
_IDS_OF_MO: Final = """\
SELECT charge_id, groupUniqArray(mo_msg_id) AS ids
FROM
(
    SELECT charge_id, arrayJoin(part_ids) AS part_id FROM account_charge_rows
    WHERE account = {account:String} AND kind = 'mo' AND charge_id IN ([of])
) AS charge
JOIN
(
    SELECT part_id, mo_msg_id FROM mo_part_rows
    WHERE received_at >= toDateTime64({parts_since:String}, 3, 'UTC') AND mo_msg_id != ''
        AND part_id IN
        (
            SELECT arrayJoin(part_ids) FROM account_charge_rows
            WHERE account = {account:String} AND kind = 'mo' AND charge_id IN ([of])
        )
) AS part USING part_id
GROUP BY charge_id"""
_IDS_OF_MT: Final = """\
SELECT command_id AS charge_id, argMax(gateway_message_ids, kafka_offset) AS ids
FROM mt_state_rows WHERE command_id IN ([of]) AND notEmpty(gateway_message_ids)
GROUP BY command_id"""
_HELD: Final = """\
SELECT charge_id, number, units, formatDateTime(at, '%FT%T.%fZ', 'UTC') AS charged FROM account_held
WHERE account = {account:String} AND at >= toDateTime64({since:String}, 3, 'UTC')
    AND at < toDateTime64({until:String}, 3, 'UTC')"""
_OF_HELD: Final = "SELECT charge_id FROM account_held WHERE account = {account:String}"
_RECEIVED: Final = """\
SELECT DISTINCT lower(mo_msg_id) AS id FROM mo_part_rows
WHERE lower(mo_msg_id) IN {ids:Array(String)}"""


def our_charges(
    settings: Settings, account: str, since: datetime, until: datetime
) -> list[OurCharge]:
    """What was charged from `since` on and before `until`, booked or held, a message each."""
    report = report_of(settings)
    found: dict[str, OurCharge] = {}
    given: dict[str, Any] = {
        "account": account,
        "since": _words_of(since),
        "until": _words_of(until),
        "parts_since": _words_of(since - LATEST_PART),
        "after": 0,
    }
    while page := _asked(report, _PAGE, given):
        given["upto"] = page[-1]["sequence"]
        ids = _ids(report, _OF_PAGE, given)
        for row in page:
            _add(found, row, ids.get(row["reference"], ()))
        given["after"] = given["upto"]
        if len(page) < PAGE:
            break
    held = _asked(report, _HELD, given)
    ids = _ids(report, _OF_HELD, given) if held else {}
    found |= {
        row["charge_id"]: OurCharge(
            reference=row["charge_id"],
            kind="mo",
            at=_time_of(row["charged"]),
            number=row["number"],
            units=row["units"],
            ids=ids.get(row["charge_id"], ()),
            is_held=True,
        )
        for row in held
    }
    return list(found.values())


def received_among(settings: Settings, ids: Sequence[str]) -> set[str]:
    """Those of the gateway's ids under which a part came to us, in small letters."""
    report = report_of(settings)
    wanted = sorted({id.lower() for id in ids if id})
    found: set[str] = set()
    for start in range(0, len(wanted), IDS_AT_ONCE):
        some = wanted[start : start + IDS_AT_ONCE]
        found |= {row["id"] for row in rows(report, _RECEIVED, parameters={"ids": some})}
    return found


def _ids(report: str, of: str, given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The gateway's ids of the charges that `of` selects."""
    return {
        row["charge_id"]: tuple(sorted(row["ids"]))
        for sql in (_IDS_OF_MO, _IDS_OF_MT)
        for row in _asked(report, sql.replace("[of]", of), given)
    }


def _asked(report: str, sql: str, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of a question, with those of the parameters that it names."""
    named = {name: value for name, value in given.items() if f"{{{name}:" in sql}
    return rows(report, sql, parameters=named)


def _add(found: dict[str, OurCharge], row: Mapping[str, Any], ids: tuple[str, ...]) -> None:
    """Add an entry to its message: a correction changes what the message cost."""
    before = found.get(row["reference"])
    cost = -int(row["units"])
    found[row["reference"]] = (
        before._replace(units=before.units + cost)
        if before
        else OurCharge(
            reference=row["reference"],
            kind="mt" if row["kind"] == "mt-correction" else row["kind"],
            at=_time_of(row["charged"]),
            number=row["number"],
            units=cost,
            ids=ids,
        )
    )


def _time_of(text: str) -> datetime:
    return msgspec.convert(text, datetime)


def _words_of(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
