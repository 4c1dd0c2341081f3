"""The lists of the report. Each is a page, and a download in every format."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.store.report.lists.columns import OF_LINES, Column, named
from pipeline.store.report.lists.filled import filled
from pipeline.store.report.lists.filters import ALL, FEW, Filters
from pipeline.store.report.lists.review_statement import REVIEW_SQL
from pipeline.store.report.lists.statements import (
    CHANGES_SQL,
    DEAD_LETTERS_SQL,
    OF_CONSENT,
    STOPPED_NOW_SQL,
)


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A list, newest first. `empty` is shown without rows.

    A list of lines has no `sql`, and `fixed` filters. Of another list `sql` gives the columns, and
    `key` names the two by which it is sorted.
    """

    name: str
    title: str
    about: str
    empty: str
    columns: tuple[Column, ...]
    sql: str = ""
    quick_sql: str = ""  # gives the same first rows, where it gives enough of them
    #: `sql` ends in a condition, and more can follow it. A query around it would read every row.
    takes_conditions: bool = False
    key: tuple[str, str] = ("at", "id")
    fixed: dict[str, str] = {}
    #: Topics after whose records it is another.
    topics: str = "mo-message mt-command mt-rejection mt-state"
    is_standing: bool = False  # what holds now, whenever it came to be
    #: Of a list that is not of lines: the filters that each list may have, and of its own filters
    #: what each asks of a row. A filter that a list cannot obey is none of its filters.
    takes: frozenset[str] = FEW
    own: dict[str, str] = {}

    @property
    def filters(self) -> frozenset[str]:
        """The filters that it takes."""
        return self.takes | set(self.own) if self.sql else ALL - frozenset(self.fixed)

    def own_conditions(self, filters: Filters) -> tuple[str, dict[str, str]]:
        """What the list's own filters ask of a row, as SQL with its parameters."""
        given = {name: value for name, value in filters.given().items() if name in self.own}
        return " AND ".join(["1", *(self.own[name] for name in given)]), given


LINES: Final = Listing(
    name="lines",
    title="Messages",
    about="Every message in, every command and every refusal, and what became of it.",
    empty="No message is like this.",
    columns=OF_LINES,
)
MESSAGES: Final = Listing(
    name="messages",
    title="Messages in",
    about="Every message received.",
    empty="No messages in this time.",
    columns=OF_LINES,
    fixed={"direction": "in"},
)
MESSAGES_OUT: Final = Listing(
    name="sent",
    title="Messages out",
    about="Commands that passed the gate, what became of each, and the gateway's code.",
    empty="Nothing passed the gate in this time.",
    columns=OF_LINES,
    fixed={"direction": "out"},
)
REFUSALS: Final = Listing(
    name="refusals",
    title="Refused to send",
    about="MT requests that the gate refused, and by which rule.",
    empty="Nothing was refused in this time.",
    columns=OF_LINES,
    fixed={"direction": "refused"},
)
INCOMPLETE: Final = Listing(
    name="incomplete",
    title="Incomplete messages",
    about="Messages that were released without all their parts, and parts that came too late.",
    empty="Every message in this time is complete.",
    columns=OF_LINES,
    fixed={"direction": "in", "complete": "no"},
)
PER_DAY: Final = Listing(
    name="per-day",
    title="Messages per number and day",
    about="In: received. Let pass and refused: by the gate. Days are in UTC.",
    empty="No messages in this time.",
    columns=named("day", "number", "received", "handsets", "decided", "refused"),
    key=("day", "number"),
    sql=filled(
        """\
SELECT toStartOfDay(at) AS day, toString(lines.number) AS number,
    countIf(record = 'mo-message') AS received,
    uniqIf(handset, record = 'mo-message') AS handsets, countIf(record = 'mt-command') AS decided,
    countIf(record = 'mt-rejection') AS refused
FROM twoway.conversation_line_rows AS lines FINAL
WHERE [of at, lines.number]
GROUP BY day, number"""
    ),
)
CONVERSATIONS: Final = Listing(
    name="conversations",
    title="Latest conversations",
    about="The latest message of each handset.",
    empty="No handset has written in this time.",
    columns=named("latest", "handset", "number", "text"),
    key=("latest", "handset"),
    sql=filled(
        """\
SELECT max(at) AS latest, handset, argMax(toString(lines.number), (at, id)) AS number,
    argMax(lines.text, (at, id)) AS text
FROM twoway.conversation_line_rows AS lines
WHERE record = 'mo-message' AND [of at, lines.number]
GROUP BY handset"""
    ),
    quick_sql=filled(
        """\
SELECT at AS latest, handset, number, text FROM
(
    SELECT at, id, handset, toString(lines.number) AS number, text
    FROM twoway.conversation_line_rows AS lines
    WHERE record = 'mo-message' AND [of at, lines.number]
    ORDER BY at DESC, id DESC LIMIT 1000
)
ORDER BY at DESC, id DESC LIMIT 1 BY handset"""
    ),
)
OPT_OUTS: Final = Listing(
    topics="consent-change",
    own=OF_CONSENT,
    name="opt-outs",
    title="Changes of consent",
    about="Consent that was withdrawn, given back or confirmed, and by which rule.",
    empty="No consent changed in this time.",
    columns=named(
        Column("recorded_at", "time", "known since"), Column("at", "time", "true since"),
        "handset", "scope_kind", "scope", "state", "gateway_state", "rule", "actor",
        Column("reason", "words"), Column("number", "number", aside=True),
        Column("mo_message_id", "id", aside=True), Column("change_id", "id", aside=True),
    ),
    key=("recorded_at", "change_id"),
    sql=CHANGES_SQL,
)  # fmt: skip
STOPPED_NOW: Final = Listing(
    topics="consent-change",
    own=OF_CONSENT,
    name="stopped",
    is_standing=True,
    title="Stopped now",
    about="Each scope that is stopped, or whose confirmation is due, and since when.",
    empty="Nobody is stopped.",
    columns=named(
        Column("recorded_at", "time", "known since"), Column("at", "time", "true since"),
        "handset", "scope_kind", "scope", "state", "gateway_state", "rule", "actor",
        Column("change_id", "id", aside=True),
    ),
    key=("recorded_at", "change_id"),
    sql=STOPPED_NOW_SQL,
)  # fmt: skip
DEAD_LETTERS: Final = Listing(
    topics="dead-letter dead-letter-retry",
    takes=frozenset({"from", "to"}),
    own={name: f"{name} = {{{name}:String}}" for name in ("reason", "stage", "source")},
    name="dead-letters",
    title="Dead letters",
    about="Refused input, and its retries. Dead letters name no number: only the times apply.",
    empty="There were no dead letters in this time.",
    columns=named(
        "at", Column("retried_at", "time", "retried"), Column("source"), "stage", "reason", "words",
        Column("dead_letter_id", "letter", "letter"), Column("topic", aside=True),
        Column("partition", "count", aside=True), Column("offset", "count", aside=True),
        Column("retry_of", "id", aside=True),
    ),
    key=("at", "dead_letter_id"),
    sql=DEAD_LETTERS_SQL,
)  # fmt: skip
ATTEMPTS: Final = Listing(
    topics="mo-delivery-result",
    takes=FEW - {"number"},
    own={name: f"{name} = {{{name}:String}}" for name in ("path", "outcome")},
    name="attempts",
    title="Handed on",
    about="Attempts to hand something on to an application. They name no number of ours.",
    empty="Nothing was handed on in this time.",
    columns=named(
        "at", "handset", "path", "kind", Column("attempt", "count"), Column("outcome", "tag"),
        "status", "words", Column("duration_ms", "count", "ms"),
        Column("subject_id", "id", aside=True), Column("delivery_id", "id", aside=True),
    ),
    key=("at", "delivery_id"),
    sql=filled(
        """\
SELECT at, handset, path, kind, attempt, outcome, status, words, duration_ms, subject_id,
    delivery_id
FROM twoway.mo_delivery_result
WHERE [in at] AND ({handset:String} = '' OR handset = {handset:String})"""
    ),
)  # fmt: skip
REVIEW: Final = Listing(
    topics="mo-message consent-request account-charge account-release",
    name="review",
    is_standing=True,
    title="To be reviewed",
    about="Messages that may be meant as a stop and are no stop message: somebody has to decide.",
    empty="Nothing waits for a decision.",
    columns=named("at", "handset", "number", "text", Column("flags", "flags", aside=True),
                  Column("id", "id", aside=True)),
    sql=REVIEW_SQL,
    takes_conditions=True,
)  # fmt: skip
ONE_CONVERSATION: Final = msgspec.structs.replace(
    LINES,
    name="conversation",
    title="Conversation",
    about="What was said in both directions, and what was not sent.",
    empty="This handset has sent nothing, and nothing was sent to it.",
)
#: The lists, in the order of the page.
LISTINGS: Final = {
    listing.name: listing
    for listing in (
        LINES, CONVERSATIONS, PER_DAY, OPT_OUTS, STOPPED_NOW, MESSAGES_OUT, REFUSALS, INCOMPLETE,
        DEAD_LETTERS, ATTEMPTS, REVIEW, MESSAGES, ONE_CONVERSATION,
    )
}  # fmt: skip
