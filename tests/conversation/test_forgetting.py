"""The agent keeps nothing of a forgotten handset but its stops, under an HMAC."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.avro import single_object
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import CONSENTS, SUPPRESSIONS
from pipeline.kafka import topics
from pipeline.records import ForgetRequest, MtResult
from pipeline.settings import Settings
from pipeline.suppression_key import (
    SuppressionKeyError,
    key_file,
    make_key,
    read_key,
)
from tests.support.partition import HANDSET, NOON, NUMBER, NUMBERS, PARTITIONS, Partition

if TYPE_CHECKING:
    from pipeline.engine.state.state import State

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(partitions=PARTITIONS, home=tmp_path / "home")


@pytest.fixture
def partition(settings) -> Partition:
    """A partition whose agent has the key."""
    make_key(key_file(settings))
    partition = Partition()
    partition.agent = Conversation(partition=partition.number, settings=settings)
    partition.take(topics.NUMBERS, single_object.encode(NUMBERS))
    return partition


def forget(partition: Partition, request_id: str = "f1", **fields: str) -> None:
    given = {"handset": HANDSET, "actor": "anna", "reason": "Asked by letter."}
    order = ForgetRequest(request_id=request_id, requested_at=LATER, **(given | fields))
    partition.take(topics.FORGET_REQUEST, single_object.encode(order), HANDSET.encode())


def octets_of(state: State) -> bytes:
    """Every key and value of every table."""
    pieces = []
    for table in state.tables.values():
        for key in table.keys(b""):
            pieces += [key, table.get(key) or b""]
    return b"\n".join(pieces)


def decided(partition: Partition, request_id: str) -> list[tuple[str, str]]:
    partition.outputs.clear()
    partition.request(request_id)
    return [
        *(("command", c.purpose) for c in partition.written(topics.MT_COMMAND)),
        *((r.rule, r.detail) for r in partition.written(topics.MT_REJECTION)),
    ]


def test_rows_go_the_stop_stays_and_the_number_is_nowhere(partition, settings):
    partition.raw("hello", mo_msg_id="m1")
    partition.raw("STOP", mo_msg_id="m2")
    assert HANDSET.encode() in octets_of(partition.state)
    forget(partition)
    assert HANDSET.encode() not in octets_of(partition.state)
    assert partition.state.tables[CONSENTS].is_empty
    (erasure,) = partition.written(topics.ERASURE)
    key = bytes.fromhex(key_file(settings).read_text())
    expected = hmac.new(key, HANDSET.encode(), hashlib.sha256).hexdigest()
    assert erasure.suppression == expected
    assert [(rows.name, rows.rows) for rows in erasure.rows if rows.rows] == [(CONSENTS, 1)]
    (stop,) = erasure.stops
    assert (stop.scope, stop.state, stop.gateway_state) == (NUMBER, "stopped", "stopped")
    ((rule, words),) = decided(partition, "r1")
    assert rule == "opted-out"
    assert "(suppression)" in words
    assert partition.state.tables[CONSENTS].is_empty


def test_what_was_not_stopped_leaves_nothing(partition):
    partition.raw("hello")
    forget(partition)
    assert partition.state.tables[SUPPRESSIONS].is_empty
    assert partition.written(topics.ERASURE)[0].stops == []
    assert decided(partition, "r1") == [("command", "reply")]


def test_a_handset_nobody_knows_is_forgotten_too(partition):
    forget(partition)
    (erasure,) = partition.written(topics.ERASURE)
    assert sum(rows.rows for rows in erasure.rows) == 0


def test_texting_again_takes_the_stop_up_and_re_enables(partition):
    partition.raw("STOP", mo_msg_id="m1")
    forget(partition)
    partition.raw("please do not cancel", mo_msg_id="m2", at=LATER)  # changes nothing
    assert partition.state.sizes()[SUPPRESSIONS] == 1  # the key's own row
    assert decided(partition, "r1")[0][0] == "opted-out"
    partition.raw("I am back", mo_msg_id="m3", at=LATER + timedelta(minutes=1))
    changes = partition.written(topics.CONSENT_CHANGE)
    assert [(c.rule, c.state, c.gateway_state) for c in changes] == [
        ("suppression", "stopped", "stopped"),
        ("re-enabled", "open", "open"),
    ]
    assert decided(partition, "r2") == [("command", "reply")]


def test_forgotten_twice_is_as_once(partition):
    partition.raw("STOP", mo_msg_id="m1")
    forget(partition)
    before = octets_of(partition.state)
    forget(partition)  # the same order
    assert octets_of(partition.state) == before
    assert len(partition.written(topics.ERASURE)) == 1
    forget(partition, "f2")
    assert [len(e.stops) for e in partition.written(topics.ERASURE)] == [1, 1]
    assert decided(partition, "r1")[0][0] == "opted-out"


def test_a_confirmation_that_was_due_is_not_sent_to_whom_nobody_knows(partition):
    partition.raw("STOP")
    forget(partition)
    partition.tick(NOON + timedelta(hours=7))
    assert partition.written(topics.MT_COMMAND) == []


def test_a_result_that_comes_late_brings_no_row_back(partition):
    partition.raw("hello")
    partition.request("r1")
    (command,) = partition.written(topics.MT_COMMAND)
    forget(partition)
    before = octets_of(partition.state)
    result = MtResult(
        result_id="x",
        command_id=command.command_id,
        request_id="r1",
        handset=HANDSET,
        outcome="failed",
        final=True,
        gateway_message_id="",
        code="",
        words="",
        attempt=1,
        at=LATER,
    )
    partition.take(topics.MT_RESULT, single_object.encode(result), HANDSET.encode())
    assert octets_of(partition.state) == before


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"handset": "ACME"}, "not digits"),
        ({"actor": " "}, "who orders it"),
        ({"reason": ""}, "and why"),
    ],
)
def test_an_order_that_says_too_little_is_a_dead_letter(partition, fields, words):
    handset = fields.get("handset", HANDSET)
    partition.agent._home.partition = topics.partition_of(handset.encode(), PARTITIONS)
    forget(partition, **fields)
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert (letter.reason, letter.stage) == ("wrong-order", "consent")
    assert words in letter.words


def test_an_order_in_a_wrong_partition_is_sent_home(partition):
    partition.agent._home.partition += 1
    forget(partition)
    assert partition.written(topics.ERASURE) == []
    assert [order.handset for order in partition.written(topics.FORGET_REQUEST)] == [HANDSET]


def test_a_reason_that_holds_the_number_is_not_kept(partition):
    forget(partition, reason=f"Letter of {HANDSET}.")
    assert partition.written(topics.ERASURE)[0].reason == ""


def test_without_a_key_the_order_is_refused_and_nothing_removed(settings):
    partition = Partition()
    partition.agent = Conversation(partition=partition.number, settings=settings)
    partition.raw("STOP")
    before = octets_of(partition.state)
    forget(partition)
    (letter,) = partition.written(topics.DEAD_LETTER)
    assert "no suppression key" in letter.words
    assert set(before.split(b"\n")) <= set(octets_of(partition.state).split(b"\n"))


@pytest.mark.parametrize("other", [False, True], ids=["no key", "another key"])
def test_a_worker_that_holds_suppressions_does_not_start_without_their_key(
    partition, settings, other
):
    partition.raw("STOP")
    forget(partition)
    file = key_file(settings)
    file.unlink()
    if other:
        make_key(file)
    fresh = Conversation(partition=partition.number, settings=settings)
    with pytest.raises(SuppressionKeyError, match=r"restore (it at|that key)"):
        fresh.restored(partition.state)


def test_a_worker_that_holds_none_needs_no_key(settings):
    partition = Partition()
    partition.raw("STOP")
    Conversation(partition=partition.number, settings=settings).restored(partition.state)


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("0" * 64, 0o640, "other users may read"), ("0" * 63, 0o600, "64 hex digits")],
)
def test_a_key_that_is_none_or_that_others_read_is_refused(tmp_path, text, mode, words):
    file = tmp_path / "key"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(SuppressionKeyError, match=words):
        read_key(file)


def test_the_key_is_beside_the_data_unless_it_is_said_where(tmp_path):
    assert key_file(Settings(home=tmp_path / "data")) == tmp_path / "data.suppression-key"
    said = Settings(home=tmp_path, suppression_key=str(tmp_path / "elsewhere"))
    assert key_file(said) == tmp_path / "elsewhere"
    assert read_key(tmp_path / "none") is None
