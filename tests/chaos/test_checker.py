"""The checker finds planted faults: a lost part, a doubled message, an MT after a STOP."""

from __future__ import annotations

import itertools
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.checker import ID_OF, KINDS, Entry, Sent, check, rows_of

if TYPE_CHECKING:
    from collections import Counter

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
ANN, BOB = "447800000001", "447800000002"


class Topics:
    """Topics made by hand: one partition, one record a millisecond."""

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {topic: [] for topic in ID_OF}
        self._milliseconds = itertools.count()

    def add(self, topic: str, **fields: object) -> Entry:
        entries = self.entries[topic]
        record = SimpleNamespace(**fields)
        entries.append(Entry(0, len(entries), next(self._milliseconds), record))
        return entries[-1]

    def hear(self, handset: str, mo_msg_id: str, text: str, *, udh: str = "", late: int = 0) -> str:
        """Put a part into mo-raw and mo-part; return its place."""
        at = NOON + timedelta(hours=2, seconds=-late)
        query = (
            f"api_id=1&from={handset}&to=447700900100&timestamp={at:%Y-%m-%d+%H%%3A%M%%3A%S}"
            f"&text={text.replace(' ', '+')}&charset=ISO-8859-1&udh={udh}&moMsgId={mo_msg_id}"
        )
        raw = self.add("mo-raw", query=query.encode(), received_at=NOON)
        self.add(
            "mo-part",
            part_id=f"part-{mo_msg_id}",
            handset=handset,
            raw_partition=0,
            raw_offset=raw.offset,
        )
        return raw.place

    def message(self, handset: str, text: str, *mo_msg_ids: str) -> None:
        self.add(
            "mo-message",
            message_id="+".join(mo_msg_ids),
            handset=handset,
            mo_msg_ids=list(mo_msg_ids),
            text=text,
            complete=True,
            lossy=False,
        )

    def consent(self, handset: str, state: str) -> None:
        number = len(self.entries["consent-change"])
        at = NOON + timedelta(seconds=number)
        self.add(
            "consent-change",
            change_id=f"change-{number}",
            handset=handset,
            state=state,
            at=at,
            recorded_at=at,
        )

    def decide(self, handset: str, request_id: str, *, passes: bool) -> None:
        self.add("mt-request", request_id=request_id, to=f"+{handset}")
        if passes:
            self.add("mt-command", command_id=f"command-{request_id}", request_id=request_id)
            return
        self.add(
            "mt-rejection",
            rejection_id=f"rejection-{request_id}",
            request_id=request_id,
            command_id="",
            rule="opted-out",
        )


def conversation() -> tuple[Topics, Sent]:
    """The records of a run without a fault."""
    topics = Topics()
    topics.hear(ANN, "a1", "hello")
    topics.message(ANN, "hello", "a1")
    topics.hear(ANN, "a3", "second", udh="050003070202")
    topics.hear(ANN, "a2", "first ", udh="050003070201")
    topics.message(ANN, "first second", "a2", "a3")
    topics.decide(ANN, "r1", passes=True)
    topics.hear(ANN, "a4", "STOP")
    topics.message(ANN, "STOP", "a4")
    topics.consent(ANN, "confirmation-due")
    topics.decide(ANN, "r2", passes=False)
    topics.hear(BOB, "b1", "Stop")
    topics.message(BOB, "Stop", "b1")
    topics.consent(BOB, "confirmation-due")
    topics.hear(BOB, "b2", "yes")
    topics.message(BOB, "yes", "b2")
    topics.consent(BOB, "open")
    topics.hear(BOB, "b3", "END", late=600)
    topics.message(BOB, "END", "b3")
    topics.decide(BOB, "r3", passes=True)
    ids = {"a1", "a2", "a3", "a4", "b1", "b2", "b3"}
    return topics, Sent(acknowledged=ids, requests={"r1", "r2", "r3"}, must_be_refused={"r2"})


def rows_in_clickhouse(topics: Topics) -> dict[str, Counter[str]]:
    return {topic: rows_of(topic, entries) for topic, entries in topics.entries.items()}


def drop(topic: str, place: int):
    return lambda entries: entries[topic].pop(place)


def repeat(topic: str, place: int):
    def change(entries):
        last = entries[topic][-1]
        entries[topic].append(entries[topic][place]._replace(offset=last.offset + 1))

    return change


def swap(topic: str, one: int, other: int):
    def change(entries):
        records = entries[topic]
        records[one], records[other] = records[other], records[one]

    return change


def alter(topic: str, place: int, **fields: object):
    return lambda entries: vars(entries[topic][place].record).update(fields)


def add(into: str, **fields: object):
    def change(entries):
        entries[into].append(Entry(0, 1_000, 1_000, SimpleNamespace(**fields)))

    return change


def pass_a_refused_request(entries):
    entries["mt-rejection"].pop()
    add("mt-command", command_id="c", request_id="r2")(entries)


PLANTED = [
    ("an acknowledged callback that is not in mo-raw", drop("mo-raw", 0), "lost"),
    ("a lost part", drop("mo-part", 2), "lost"),
    ("a doubled part", repeat("mo-part", 1), "doubled"),
    ("a part out of order", swap("mo-part", 0, 1), "out of order"),
    ("a lost message", drop("mo-message", 1), "lost"),
    ("a doubled message", repeat("mo-message", 0), "doubled"),
    ("a message out of order", swap("mo-message", 0, 1), "out of order"),
    ("a wrong text", alter("mo-message", 1, text="secondfirst "), "wrong"),
    ("parts of two messages", alter("mo-message", 1, mo_msg_ids=["a2", "b1"]), "wrong"),
    ("a message said to be incomplete", alter("mo-message", 1, complete=False), "wrong"),
    ("a lost request", drop("mt-request", 0), "lost"),
    ("a request never decided", drop("mt-command", 0), "lost"),
    ("a request decided twice", repeat("mt-command", 0), "doubled"),
    ("an MT after an acknowledged STOP", pass_a_refused_request, "sent after a stop"),
    ("a decision nobody asked for", add("mt-command", command_id="c", request_id="r9"), "wrong"),
    ("a rejection by a wrong rule", alter("mt-rejection", 0, rule="expired"), "wrong"),
    ("a stop that had no effect", drop("consent-change", 0), "wrong"),
    ("a late stop that undid a newer text", alter("consent-change", 2, state="stopped"), "wrong"),
    ("a doubled change of consent", repeat("consent-change", 0), "doubled"),
    (
        "a dead letter",
        add("dead-letter", dead_letter_id="d", topic="mo-raw", words="it failed"),
        "wrong",
    ),
]


def test_nothing_is_found_where_nothing_is_amiss():
    topics, sent = conversation()
    findings = check(topics.entries, sent, rows_in_clickhouse(topics))
    assert findings.words == []
    assert findings.are_none
    assert str(findings) == ", ".join(f"{kind} 0" for kind in KINDS)


@pytest.mark.parametrize(
    ("plant", "kind"),
    [pytest.param(plant, kind, id=words) for words, plant, kind in PLANTED],
)
def test_what_is_amiss_in_the_topics_is_found(plant, kind):
    topics, sent = conversation()
    plant(topics.entries)
    findings = check(topics.entries, sent, rows_in_clickhouse(topics))
    assert findings.counts[kind] >= 1
    assert findings.counts["rows that differ"] == 0


@pytest.mark.parametrize("topic", [topic for topic in ID_OF if topic != "dead-letter"])
@pytest.mark.parametrize("count", [0, 2], ids=["missing", "twice"])
def test_a_row_that_is_missing_or_there_twice_is_found(topic, count):
    topics, sent = conversation()
    rows = deepcopy(rows_in_clickhouse(topics))
    row = next(iter(rows[topic]))
    rows[topic][row] = count
    findings = check(topics.entries, sent, rows)
    assert dict(findings.counts) == {"rows that differ": 1}
