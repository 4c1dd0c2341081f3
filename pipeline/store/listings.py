"""The lists of the report, each once: as a table on the page and as CSV."""

from __future__ import annotations

from typing import Final

import msgspec

_RANGE: Final = "{time} >= {{since:DateTime64(3, 'UTC')}} AND {time} < {{until:DateTime64(3, 'UTC')}}"
_NUMBER: Final = "({{number:String}} = '' OR {number} = {{number:String}})"
_HANDSET: Final = "({handset:String} = '' OR handset = {handset:String})"


def _where(*, time: str, number: str) -> str:
    return f"{_RANGE.format(time=time)} AND {_NUMBER.format(number=number)} AND {_HANDSET}"


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """`sql` gives the columns; a `LIMIT` is put behind it. `empty` is what no rows mean."""

    name: str
    title: str
    about: str
    empty: str
    sql: str


MESSAGES: Final = Listing(
    name="messages",
    title="Messages in",
    about="Every message received, newest first.",
    empty="No messages in this time.",
    sql=f"""\
SELECT gateway_time AS at, handset, number, text, charset, source, parts_total AS parts, complete, lossy,
    arrayStringConcat(flags, ' ') AS flags, message_id
FROM twoway.mo_message
WHERE {_where(time="gateway_time", number="number")}
ORDER BY gateway_time DESC, message_id""",  # noqa: S608  put together from constants of this module
)
PER_DAY: Final = Listing(
    name="per-day",
    title="Messages per number and day",
    about="In: messages received. Out: commands to the sender. Refused: what the gate did not let out.",
    empty="No messages in this time.",
    sql=f"""\
SELECT day, number, countIf(kind = 'in') AS received, uniqIf(handset, kind = 'in') AS handsets,
    countIf(kind = 'out') AS sent, countIf(kind = 'refused') AS refused
FROM
(
    SELECT toDate(gateway_time) AS day, toString(number) AS number, handset, 'in' AS kind
    FROM twoway.mo_message WHERE {_where(time="gateway_time", number="number")}
    UNION ALL
    SELECT toDate(at), toString(sender_id), handset, 'out'
    FROM twoway.mt_command WHERE {_where(time="at", number="sender_id")}
    UNION ALL
    SELECT toDate(at), toString(sender_id), handset, 'refused'
    FROM twoway.mt_rejection WHERE {_where(time="at", number="sender_id")}
)
GROUP BY day, number
ORDER BY day DESC, received DESC, number""",  # noqa: S608  put together from constants of this module
)
CONVERSATIONS: Final = Listing(
    name="conversations",
    title="Latest conversations",
    about="One line a handset, by its latest message.",
    empty="Nobody has written in this time.",
    sql=f"""\
SELECT max(gateway_time) AS latest, handset, argMax(toString(said.number), gateway_time) AS number,
    count() AS messages, argMax(said.text, gateway_time) AS text
FROM twoway.mo_message AS said
WHERE {_where(time="gateway_time", number="said.number")}
GROUP BY handset
ORDER BY latest DESC, handset""",  # noqa: S608  put together from constants of this module
)
OPT_OUTS: Final = Listing(
    name="opt-outs",
    title="Opt-outs",
    about="Consent that was withdrawn, given back or confirmed, and the rule that says so.",
    empty="No consent changed in this time.",
    sql=f"""\
SELECT at, handset, scope_kind, scope, state, gateway_state, rule, number, actor, reason, recorded_at,
    mo_message_id
FROM twoway.consent_change
WHERE {_where(time="recorded_at", number="number")}
ORDER BY recorded_at DESC, change_id""",  # noqa: S608  put together from constants of this module
)
REFUSALS: Final = Listing(
    name="refusals",
    title="Refused to send",
    about="What an application asked for and the gate did not let out, with the rule.",
    empty="Nothing was refused in this time.",
    sql=f"""\
SELECT at, handset, sender_id AS number, rule, detail, caused_at, scope, request_id
FROM twoway.mt_rejection
WHERE {_where(time="at", number="sender_id")}
ORDER BY at DESC, rejection_id""",  # noqa: S608  put together from constants of this module
)
INCOMPLETE: Final = Listing(
    name="incomplete",
    title="Incomplete messages",
    about="Released without all their parts, and parts that came after that.",
    empty="Every message in this time is whole.",
    sql=f"""\
SELECT gateway_time AS at, handset, number, text, parts_total AS parts,
    arrayStringConcat(arrayMap(part -> toString(part), parts_missing), ' ') AS missing,
    arrayStringConcat(flags, ' ') AS flags, message_id
FROM twoway.mo_message
WHERE NOT complete AND {_where(time="gateway_time", number="number")}
ORDER BY gateway_time DESC, message_id""",  # noqa: S608  put together from constants of this module
)
DEAD_LETTERS: Final = Listing(
    name="dead-letters",
    title="Dead letters",
    about="Input that could not be taken. They name no number: only the days apply.",
    empty="Nothing was refused as unreadable in this time.",
    sql=f"""\
SELECT at, source, stage, reason, words, topic, partition, offset, dead_letter_id
FROM twoway.dead_letter
WHERE {_RANGE.format(time="at")}
ORDER BY at DESC, dead_letter_id""",  # noqa: S608  put together from constants of this module
)
CONVERSATION: Final = Listing(
    name="conversation",
    title="Conversation",
    about="What was said in both directions, and what was not sent.",
    empty="This handset has said nothing, and nothing was sent to it.",
    sql="""\
SELECT at, direction, handset, number, text, note, id
FROM twoway.two_way
WHERE handset = {handset:String} AND at >= {since:DateTime64(3, 'UTC')} AND at < {until:DateTime64(3, 'UTC')}
    AND ({number:String} = '' OR number = {number:String})
ORDER BY at, direction, id""",
)
#: In the order of the page.
LISTINGS: Final = {
    listing.name: listing
    for listing in (
        CONVERSATIONS,
        PER_DAY,
        OPT_OUTS,
        REFUSALS,
        INCOMPLETE,
        DEAD_LETTERS,
        MESSAGES,
        CONVERSATION,
    )
}
NEWEST: Final = "SELECT count() AS messages, max(gateway_time) AS newest FROM twoway.mo_message_rows"
NUMBERS: Final = f"""\
SELECT toString(number) AS number, count() AS messages FROM twoway.mo_message
WHERE {_RANGE.format(time="gateway_time")}
GROUP BY number ORDER BY messages DESC, number LIMIT 200"""  # noqa: S608  put together from constants of this module
TOTALS: Final = f"""\
SELECT
    (SELECT tuple(count(), uniq(handset), countIf(NOT complete)) FROM twoway.mo_message
        WHERE {_where(time="gateway_time", number="number")}) AS received,
    (SELECT count() FROM twoway.mt_command WHERE {_where(time="at", number="sender_id")}) AS sent,
    (SELECT count() FROM twoway.mt_rejection WHERE {_where(time="at", number="sender_id")}) AS refused,
    (SELECT countIf(rule IN ('stop-word', 'stop-all', 'keyword-stop')) FROM twoway.consent_change
        WHERE {_where(time="recorded_at", number="number")}) AS stops,
    (SELECT count() FROM twoway.dead_letter WHERE {_RANGE.format(time="at")}) AS dead_letters"""  # noqa: S608  put together from constants of this module
STATES: Final = """\
SELECT scope_kind, scope, argMax(state, (recorded_at, kafka_offset)) AS state,
    argMax(gateway_state, (recorded_at, kafka_offset)) AS gateway_state,
    argMax(rule, (recorded_at, kafka_offset)) AS rule, argMax(at, (recorded_at, kafka_offset)) AS since
FROM twoway.consent_change WHERE handset = {handset:String}
GROUP BY scope_kind, scope ORDER BY scope_kind, scope"""
