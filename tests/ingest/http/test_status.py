"""The index behind `GET /mt/{request_id}`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations

import pytest

from ingest.http.status import StatusIndex
from pipeline.avro.single_object import encode
from pipeline.records import GateRule, MtCommand, MtRejection, MtRequest, MtResult, Record

AT = datetime(2030, 1, 1, tzinfo=UTC)


def request(text: str = "x", request_id: str = "k") -> MtRequest:
    return MtRequest(request_id=request_id, to="4477", text=text, requested_at=AT)


def command(request_id: str = "k") -> MtCommand:
    return MtCommand(
        command_id="c",
        request_id=request_id,
        purpose="reply",
        sender_id="1",
        handset="4477",
        text="x",
        mo=True,
        reply_expected=True,
        reply_note="",
        at=AT,
        not_after=AT,
        scopes=[],
        api_id="",
        account="main",
        keyword="",
        encoding="gsm7",
        parts=1,
        mo_message_id="",
    )


def rejection(rule: GateRule, command_id: str = "") -> MtRejection:
    return MtRejection(
        rejection_id=rule,
        request_id="k",
        command_id=command_id,
        handset="4477",
        sender_id="1",
        rule=rule,
        detail="",
        mo_message_id="",
        at=AT,
    )


def result(outcome: str = "submitted") -> MtResult:
    return MtResult(
        result_id=outcome,
        command_id="c",
        request_id="k",
        handset="4477",
        outcome=outcome,
        final=False,
        gateway_message_id="",
        code="",
        words="",
        attempt=1,
        at=AT,
    )


def state_after(*records: Record, index: StatusIndex | None = None) -> str | None:
    """The state the index gives once it has read the records."""
    index = StatusIndex() if index is None else index
    for record in records:
        index.enter(record, encode(record))
    status = index.status_of("k")
    return status["state"] if status else None


REUSED = rejection(GateRule.ID_REUSED)


@pytest.mark.parametrize(
    ("records", "state"),
    [
        pytest.param([request()], "pending", id="asked"),
        pytest.param([request(), command()], "command", id="passed the gate"),
        pytest.param([request(), rejection(GateRule.OPTED_OUT)], "rejection", id="refused"),
        pytest.param([request(), command(), result()], "result", id="sent"),
        pytest.param(
            [request(), command(), rejection(GateRule.OPTED_OUT_BEFORE_SENT, "c")],
            "rejection",
            id="refused before it was sent",
        ),
        pytest.param([request(), command(), REUSED], "command", id="its id used again"),
        pytest.param([request(), result(), REUSED, command()], "result", id="sent, id used again"),
    ],
)
def test_the_state_is_the_same_in_whatever_order_the_topics_are_read(
    records: list[Record], state: str
) -> None:
    for order in permutations(records):
        assert state_after(*order) == state
        assert state_after(*order, *order) == state


def test_the_last_of_several_results_counts() -> None:
    index = StatusIndex()
    assert state_after(request(), result(), result("delivered"), index=index) == "result"
    status = index.status_of("k")
    assert status is not None
    assert status["outcome"] == "delivered"


def test_a_request_that_came_again_leaves_the_first_in_place() -> None:
    index = StatusIndex()
    state_after(request("first"), request("second"), index=index)
    status = index.status_of("k")
    assert status is not None
    assert status["text"] == "first"
    assert index.digest_of("k") == _digest(request("first"))


def _digest(record: MtRequest) -> bytes | None:
    index = StatusIndex()
    index.enter(record, encode(record))
    return index.digest_of("k")


def test_the_content_of_a_request_known_by_its_command_alone_is_not_known() -> None:
    index = StatusIndex()
    assert state_after(command(), index=index) == "command"
    assert index.digest_of("k") is None
    state_after(request(), index=index)
    assert index.digest_of("k") == _digest(request())


def test_what_nobody_asked_for_is_not_entered() -> None:
    index = StatusIndex()
    index.enter(command(request_id=""), encode(command(request_id="")))
    assert len(index) == 0


def test_the_oldest_ids_are_forgotten_by_number_and_by_size() -> None:
    by_number, by_size = StatusIndex(ids=3), StatusIndex(octets=1000)
    for number in range(10):
        record = request("x" * 300, request_id=str(number))
        by_number.enter(record, encode(record))
        by_size.enter(record, encode(record))
    assert [by_number.status_of(str(number)) is not None for number in (6, 7, 9)] == [
        False,
        True,
        True,
    ]
    assert 0 < len(by_size) < 4
    assert by_size.status_of("9") is not None
