"""The lists of the report. Each is shown as a table on a page and as CSV."""

from __future__ import annotations

import re
from typing import Final

import msgspec

#: `[in TIME]` in a statement: the column TIME is within the days of the filters.
_RANGE: Final = r"\1 >= {since:DateTime64(3, 'UTC')} AND \1 < {until:DateTime64(3, 'UTC')}"
#: `[of TIME, NUMBER]`: the same, and NUMBER and the handset match the filters.
_FILTERED: Final = (
    _RANGE + r" AND ({number:String} = '' OR \2 = {number:String})"
    " AND ({handset:String} = '' OR handset = {handset:String})"
)


def _filled(sql: str) -> str:
    sql = re.sub(r"\[of (\w+), ([\w.]+)\]", _FILTERED, sql)
    return re.sub(r"\[in (\w+)\]", _RANGE, sql)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list. `sql` gives its columns, and a `LIMIT` is appended. `empty` is shown without rows."""

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
    sql=_filled(
        """\
SELECT gateway_time AS at, handset, number, text, charset, source, parts_total AS parts,
    complete, lossy, arrayStringConcat(flags, ' ') AS flags, message_id
FROM twoway.mo_message
WHERE [of gateway_time, number]
ORDER BY gateway_time DESC, message_id"""
    ),
)
PER_DAY: Final = Listing(
    name="per-day",
    title="Messages per number and day",
    about="In: received. Out: commands to the sender. Refused: refused by the gate.",
    empty="No messages in this time.",
    sql=_filled(
        """\
SELECT day, number, countIf(kind = 'in') AS received, uniqIf(handset, kind = 'in') AS handsets,
    countIf(kind = 'out') AS sent, countIf(kind = 'refused') AS refused
FROM
(
    SELECT toDate(gateway_time) AS day, toString(number) AS number, handset, 'in' AS kind
    FROM twoway.mo_message WHERE [of gateway_time, number]
    UNION ALL
    SELECT toDate(at), toString(sender_id), handset, 'out'
    FROM twoway.mt_command WHERE [of at, sender_id]
    UNION ALL
    SELECT toDate(at), toString(sender_id), handset, 'refused'
    FROM twoway.mt_rejection WHERE [of at, sender_id]
)
GROUP BY day, number
ORDER BY day DESC, received DESC, number"""
    ),
)
CONVERSATIONS: Final = Listing(
    name="conversations",
    title="Latest conversations",
    about="One line for each handset, ordered by its latest message.",
    empty="No handset has written in this time.",
    sql=_filled(
        """\
SELECT max(gateway_time) AS latest, handset, argMax(toString(said.number), gateway_time) AS number,
    count() AS messages, argMax(said.text, gateway_time) AS text
FROM twoway.mo_message AS said
WHERE [of gateway_time, said.number]
GROUP BY handset
ORDER BY latest DESC, handset"""
    ),
)
OPT_OUTS: Final = Listing(
    name="opt-outs",
    title="Opt-outs",
    about="Consent that was withdrawn, given back or confirmed, and by which rule.",
    empty="No consent changed in this time.",
    sql=_filled(
        """\
SELECT at, handset, scope_kind, scope, state, gateway_state, rule, number, actor, reason,
    recorded_at, mo_message_id
FROM twoway.consent_change
WHERE [of recorded_at, number]
ORDER BY recorded_at DESC, change_id"""
    ),
)
MESSAGES_OUT: Final = Listing(
    name="sent",
    title="Messages out",
    about="Commands that passed the gate, what became of each, and the gateway's code.",
    empty="Nothing was sent in this time.",
    sql=_filled(
        """\
SELECT command.at AS at, command.handset AS handset, command.number AS number, text, purpose,
    parts, state, code, words, charge, command_id
FROM
(
    SELECT at, handset, sender_id AS number, text, purpose, parts, command_id
    FROM twoway.mt_command WHERE [of at, sender_id]
) AS command
LEFT JOIN
(
    SELECT handset, command_id, state, code, words, charge FROM twoway.mt_state_rows
    WHERE at >= {since:DateTime64(3, 'UTC')}
    ORDER BY kafka_offset DESC LIMIT 1 BY handset, command_id
) AS now ON now.handset = command.handset AND now.command_id = command.command_id
ORDER BY at DESC, command_id"""
    ),
)
REFUSALS: Final = Listing(
    name="refusals",
    title="Refused to send",
    about="MT requests that the gate refused, and by which rule.",
    empty="Nothing was refused in this time.",
    sql=_filled(
        """\
SELECT at, handset, sender_id AS number, rule, detail, caused_at, scope, request_id
FROM twoway.mt_rejection
WHERE [of at, sender_id]
ORDER BY at DESC, rejection_id"""
    ),
)
INCOMPLETE: Final = Listing(
    name="incomplete",
    title="Incomplete messages",
    about="Messages that were released without all their parts, and parts that came too late.",
    empty="Every message in this time is complete.",
    sql=_filled(
        """\
SELECT gateway_time AS at, handset, number, text, parts_total AS parts,
    arrayStringConcat(arrayMap(part -> toString(part), parts_missing), ' ') AS missing,
    arrayStringConcat(flags, ' ') AS flags, message_id
FROM twoway.mo_message
WHERE NOT complete AND [of gateway_time, number]
ORDER BY gateway_time DESC, message_id"""
    ),
)
DEAD_LETTERS: Final = Listing(
    name="dead-letters",
    title="Dead letters",
    about="Refused input, and its retries. Dead letters name no number: only the days apply.",
    empty="There were no dead letters in this time.",
    sql=_filled(
        """\
SELECT at, retried_at, source, stage, reason, words, topic, partition, offset, dead_letter_id,
    arrayFirst(header -> header.name = 'twoway-retry-of', headers).value AS retry_of
FROM twoway.dead_letter
LEFT JOIN
(
    SELECT dead_letter_id, toNullable(min(at)) AS retried_at FROM twoway.dead_letter_retry
    GROUP BY dead_letter_id
) AS retries USING dead_letter_id
WHERE [in at]
ORDER BY at DESC, dead_letter_id"""
    ),
)
ATTEMPTS: Final = Listing(
    name="attempts",
    title="Handed on",
    about="Attempts to hand something on to an application. They name no number of ours.",
    empty="Nothing was handed on in this time.",
    sql=_filled(
        """\
SELECT at, handset, path, kind, attempt, outcome, status, words, duration_ms, subject_id,
    delivery_id
FROM twoway.mo_delivery_result
WHERE [in at] AND ({handset:String} = '' OR handset = {handset:String})
ORDER BY at DESC, delivery_id"""
    ),
)
ONE_CONVERSATION: Final = Listing(
    name="conversation",
    title="Conversation",
    about="What was said in both directions, and what was not sent.",
    empty="This handset has sent nothing, and nothing was sent to it.",
    sql=_filled(
        """\
SELECT at, direction, handset, number, text, note, id
FROM twoway.two_way
WHERE handset = {handset:String} AND [in at] AND ({number:String} = '' OR number = {number:String})
ORDER BY at, direction, id"""
    ),
)
#: The lists, in the order of the page.
LISTINGS: Final = {
    listing.name: listing
    for listing in (
        CONVERSATIONS,
        PER_DAY,
        OPT_OUTS,
        MESSAGES_OUT,
        REFUSALS,
        INCOMPLETE,
        DEAD_LETTERS,
        ATTEMPTS,
        MESSAGES,
        ONE_CONVERSATION,
    )
}
NEWEST: Final = (
    "SELECT count() AS messages, max(gateway_time) AS newest FROM twoway.mo_message_rows"
)
# Only for suggestions, so a row that is there twice does not matter.
NUMBERS: Final = _filled(
    """\
SELECT toString(number) AS number, count() AS messages FROM twoway.mo_message_rows
WHERE [in gateway_time]
GROUP BY number ORDER BY messages DESC, number LIMIT 200"""
)
TOTALS: Final = _filled(
    """\
SELECT
    (SELECT tuple(count(), uniq(handset), countIf(NOT complete)) FROM twoway.mo_message
        WHERE [of gateway_time, number]) AS received,
    (SELECT count() FROM twoway.mt_command WHERE [of at, sender_id]) AS sent,
    (SELECT count() FROM twoway.mt_rejection WHERE [of at, sender_id]) AS refused,
    (SELECT countIf(rule IN ('stop-word', 'stop-all', 'keyword-stop')) FROM twoway.consent_change
        WHERE [of recorded_at, number]) AS stops,
    (
        SELECT count() FROM twoway.dead_letter WHERE [in at]
        AND dead_letter_id NOT IN (SELECT dead_letter_id FROM twoway.dead_letter_retry)
    ) AS dead_letters"""
)
STATE_COUNTS: Final = """\
SELECT scope_kind, scope, argMax(state, (recorded_at, kafka_offset)) AS state,
    argMax(gateway_state, (recorded_at, kafka_offset)) AS gateway_state,
    argMax(rule, (recorded_at, kafka_offset)) AS rule,
    argMax(at, (recorded_at, kafka_offset)) AS since
FROM twoway.consent_change WHERE handset = {handset:String}
GROUP BY scope_kind, scope ORDER BY scope_kind, scope"""
