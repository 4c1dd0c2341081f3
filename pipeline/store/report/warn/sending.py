"""What an operator must know of sending: refusals of us, credit, confirmations, unknown results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pipeline.store.report.lists.filters import words_for_clickhouse
from pipeline.store.report.warn.warning import OperatorWarning, counted
from pipeline.web.visible import legible
from pipeline.wire.clickatell.codes import ERROR_CODES, About

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.store.report.warn.warning import AskRows

GATEWAY_REFUSES: Final = "gateway-refuses"
NO_CREDIT: Final = "no-credit"
CONFIRMATIONS_NEAR: Final = "confirmations-near"
CONFIRMATIONS_OVERDUE: Final = "confirmations-overdue"
UNKNOWN_RESULTS: Final = "unknown-results"
#: HTTP API 2.3.8, appendix A: no credit left.
_CREDIT: Final = "301"
#: Login, account, lock of addresses, API: whatever we send is refused.
_OF_US: Final = sorted(
    code
    for code, each in ERROR_CODES.items()
    if each.about in (About.US, About.SESSION) and code != _CREDIT
)
#: The last answer of each API within an hour, where the gateway refused all that we send.
_REFUSED: Final = """\
SELECT api_id, last.1 AS code, last.2 AS words, since FROM
(
    SELECT toString(results.api_id) AS api_id,
        argMax((toString(code), words, toString(outcome)), (at, kafka_offset)) AS last,
        minIf(at, code IN {codes:Array(String)}) AS since
    FROM twoway.mt_result_rows AS results
    WHERE source = 'answer' AND at > {moment:DateTime64(3, 'UTC')} - INTERVAL 1 HOUR
    GROUP BY api_id
)
WHERE last.3 = 'failed' AND last.1 IN {codes:Array(String)} ORDER BY api_id"""
_NEAR: Final = """\
WITH fresh AS
(
    SELECT DISTINCT handset, id, key FROM twoway.conversation_line_rows
    WHERE record = 'mt-command' AND purpose = 'confirmation'
        AND at > {moment:DateTime64(3, 'UTC')} - INTERVAL 7 HOUR
)
SELECT uniqExact(command_id) AS found, min(not_after) AS earliest FROM twoway.mt_command_rows
WHERE (handset, command_id) IN (SELECT handset, id FROM fresh)
    AND not_after > {moment:DateTime64(3, 'UTC')}
    AND not_after < {moment:DateTime64(3, 'UTC')} + INTERVAL 30 MINUTE
    AND MD5(command_id) NOT IN
    (
        SELECT key FROM twoway.mt_last_state_rows WHERE key IN (SELECT key FROM fresh)
        AND state IN ('submitted', 'delivered', 'undelivered', 'failed', 'refused')
    )"""
#: The default text goes out 15 minutes before the deadline: 10 minutes before it is overdue.
_OVERDUE: Final = """\
SELECT count() AS found, min(now.2) AS earliest FROM
(
    SELECT argMax((toString(state), confirmation_deadline), (at, recorded_at, kafka_offset)) AS now
    FROM twoway.consent_change_rows
    WHERE recorded_at > {moment:DateTime64(3, 'UTC')} - INTERVAL 7 HOUR
    GROUP BY handset, scope_kind, scope
)
WHERE now.1 = 'confirmation-due' AND now.2 < {moment:DateTime64(3, 'UTC')} + INTERVAL 10 MINUTE"""
_UNKNOWN: Final = """\
SELECT count() AS found FROM
(
    SELECT argMax(toString(state), kafka_offset) AS state FROM twoway.mt_last_state_rows
    WHERE key IN (SELECT key FROM twoway.mt_last_state_rows WHERE state = 'unknown')
    GROUP BY key
)
WHERE state = 'unknown'"""


async def gateway_refuses(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """APIs whose last answer refused whatever we send: login, account, addresses, API."""
    found = await ask(_REFUSED, {"moment": words_for_clickhouse(now), "codes": _OF_US})
    if not found:
        return None
    codes = ", ".join(
        f"API {row['api_id'] or 'without a name'}: {row['code']}" for row in found[:3]
    )
    return OperatorWarning(
        name=GATEWAY_REFUSES,
        words=f"The gateway refuses whatever we send ({codes}, {legible(found[0]['words'])})",
        count=len(found),
        link="list/sent?" + urlencode({"code": found[0]["code"]}),
        is_urgent=True,
    )


async def no_credit(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """APIs of which the gateway said last that no credit is left."""
    found = await ask(_REFUSED, {"moment": words_for_clickhouse(now), "codes": [_CREDIT]})
    if not found:
        return None
    names = ", ".join(row["api_id"] or "without a name" for row in found[:3])
    return OperatorWarning(
        name=NO_CREDIT,
        words=f"The gateway says that no credit is left: API {names}",
        count=len(found),
        link="list/sent?" + urlencode({"code": _CREDIT}),
        is_urgent=True,
    )


async def confirmations_near(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """Confirmations that are not sent, and whose deadline is within 30 minutes."""
    (row,) = await ask(_NEAR, {"moment": words_for_clickhouse(now)})
    if not row["found"]:
        return None
    what = counted(row["found"], "confirmation of a stop is", "confirmations of stops are")
    return OperatorWarning(
        name=CONFIRMATIONS_NEAR,
        words=f"{what} not sent yet, and the first deadline is {_at(row['earliest'])}",
        count=row["found"],
        link="list/sent?purpose=confirmation",
        is_urgent=True,
    )


async def confirmations_overdue(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """Stops whose default confirmation should have been written minutes ago: a worker is away."""
    (row,) = await ask(_OVERDUE, {"moment": words_for_clickhouse(now)})
    if not row["found"]:
        return None
    what = counted(row["found"], "stop has", "stops have")
    return OperatorWarning(
        name=CONFIRMATIONS_OVERDUE,
        words=f"{what} no confirmation yet, though it was due; the first deadline is"
        f" {_at(row['earliest'])}",
        count=row["found"],
        link="list/stopped?state=confirmation-due",
        is_urgent=True,
    )


async def unknown_results(ask: AskRows, _: datetime) -> OperatorWarning | None:
    """Commands of which nobody knows what became."""
    (row,) = await ask(_UNKNOWN, None)
    if not row["found"]:
        return None
    what = counted(row["found"], "message", "messages")
    return OperatorWarning(
        name=UNKNOWN_RESULTS,
        words=f"Nobody knows whether {what} out reached the gateway",
        count=row["found"],
        link="list/sent?state=unknown",
    )


def _at(time: datetime) -> str:
    return f"{time:%H:%M} UTC"
