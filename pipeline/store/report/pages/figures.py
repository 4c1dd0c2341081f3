"""The figures of the first page: how many messages, handsets, stops, and what was really sent."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from pipeline.store.report.lists.filled import filled

if TYPE_CHECKING:
    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.filters import Filters

#: All lines, and those of each number and day, which the list `per-day` shows: read once for both.
_LINES: Final = filled(
    """\
SELECT grouping(day) = 1 AS is_all, toStartOfDay(at) AS day, toString(lines.number) AS number,
    countIf(record = 'mo-message') AS received,
    uniqIf(handset, record = 'mo-message') AS handsets,
    countIf(record = 'mo-message' AND NOT complete) AS incomplete,
    countIf(record = 'mt-command') AS decided, countIf(record = 'mt-rejection') AS refused
FROM twoway.conversation_line_rows AS lines FINAL WHERE [of at, lines.number]
GROUP BY GROUPING SETS ((day, number), ())
ORDER BY is_all DESC, day DESC, number DESC LIMIT """
)
_OF_LINES: Final = ("received", "handsets", "incomplete", "decided", "refused")
#: A command that stood so once was sent: evidence never goes back.
_SENT: Final = filled(
    """\
SELECT uniqExact(key) AS sent FROM twoway.mt_last_state_rows
WHERE state IN ('submitted', 'delivered', 'undelivered') AND at >= {since:DateTime64(3, 'UTC')}
AND (({number_first:String} = '' AND {handset:String} = '' AND at < {until:DateTime64(3, 'UTC')})
    OR key IN (SELECT key FROM twoway.conversation_line_rows AS lines
        WHERE ({number_first:String} != '' OR {handset:String} != '') AND record = 'mt-command'
        AND [of at, lines.number]))"""
)
#: Handsets that were stopped in this time, by what stopped them.
_STOPS: Final = filled(
    """\
SELECT uniqExactIf(handset, rule IN ('stop-word', 'stop-all', 'keyword-stop')) AS by_message,
    uniqExactIf(handset, rule = 'operator' AND state != 'open' AND previous_state = 'open')
        AS by_order,
    uniqExactIf(handset, rule = 'gateway-said' AND gateway_state != 'open') AS by_gateway
FROM twoway.consent_change_rows AS changes WHERE [of recorded_at, changes.number]"""
)
#: Handsets with a scope that is not open now, whenever that came to be.
_STOPPED: Final = filled(
    """\
SELECT uniqExact(handset) AS stopped FROM
(
    SELECT handset, state, gateway_state FROM twoway.consent_change_rows
    WHERE [number number] AND ({handset:String} = '' OR handset = {handset:String})
    ORDER BY at DESC, recorded_at DESC, kafka_offset DESC LIMIT 1 BY handset, scope_kind, scope
)
WHERE (state, gateway_state) != ('open', 'open')"""
)
_FORGOTTEN: Final = (
    "SELECT uniqExactIf(suppression, notEmpty(stops)) AS forgotten FROM twoway.erasure"
)
_LETTERS: Final = filled(
    """\
SELECT count() AS letters FROM twoway.dead_letter WHERE [in at]
AND dead_letter_id NOT IN (SELECT dead_letter_id FROM twoway.dead_letter_retry)"""
)
_REVIEWS: Final = """\
SELECT uniqExact(id) + (SELECT count() FROM twoway.account_held WHERE has(flags, 'review')
    AND charge_id NOT IN (SELECT mo_message_id FROM twoway.consent_request_rows
        WHERE action IN ('accept', 'dismiss'))) AS reviews
FROM twoway.review_line_rows WHERE id NOT IN
    (SELECT mo_message_id FROM twoway.consent_request_rows WHERE action IN ('accept', 'dismiss'))"""
_HELD: Final = "SELECT count() AS held, uniqExact(account) AS holding FROM twoway.account_held"
_ALL: Final = (_SENT, _STOPS, _STOPPED, _FORGOTTEN, _LETTERS, _REVIEWS, _HELD)
# Only for suggestions, so a row that is there twice does not matter.
_NUMBERS: Final = """\
SELECT toString(lines.number) AS number FROM twoway.conversation_line_rows AS lines
WHERE at >= {since:DateTime64(3, 'UTC')} AND record = 'mo-message'
GROUP BY number ORDER BY count() DESC, number LIMIT 200"""


async def figures_of(questions: Questions, filters: Filters) -> dict[str, Any]:
    """All figures of a time but those of `lines_of`, by their names."""
    given = filters.parameters()
    found = await asyncio.gather(*(questions.rows(sql, given) for sql in _ALL))
    return {name: value for (row,) in found for name, value in row.items()}


async def lines_of(
    questions: Questions, filters: Filters, *, rows: int
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """How many lines there are, and the first rows of the list `per-day`."""
    found = await questions.rows(f"{_LINES}{rows + 1:d}", filters.parameters())
    figures = dict.fromkeys(_OF_LINES, 0)
    if found and found[0]["is_all"]:
        every = found.pop(0)
        figures = {name: every[name] for name in _OF_LINES}
    return figures, found


async def numbers_of(questions: Questions, filters: Filters) -> list[str]:
    """The numbers that were texted, the busiest first."""
    found = await questions.rows(_NUMBERS, filters.parameters())
    return [row["number"] for row in found]
