"""The index behind `GET /mt/{request_id}`."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from ingest.http.mt.fates import Fates
from ingest.http.mt.status import StatusIndex
from pipeline.avro.single_object import encode
from pipeline.records import (
    CommandState,
    GateRule,
    MtCommand,
    MtRejection,
    MtRequest,
    MtResult,
    MtState,
    Outcome,
    Record,
)

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


def result(outcome: str = "submitted", **fields: Any) -> MtResult:
    given: dict[str, Any] = {
        "result_id": outcome,
        "command_id": "c",
        "request_id": "k",
        "handset": "4477",
        "outcome": outcome,
        "final": False,
        "gateway_message_id": "",
        "code": "",
        "words": "",
        "attempt": 1,
        "at": AT,
    }
    return MtResult(**given | fields)


def state(name: str, **fields: Any) -> MtState:
    given: dict[str, Any] = {
        "state_id": name,
        "command_id": "c",
        "request_id": "k",
        "handset": "4477",
        "state": name,
        "attempt": 1,
        "parts": [],
        "holder": "",
        "until": None,
        "retry_at": None,
        "behind": "",
        "gateway_message_ids": [],
        "code": "",
        "words": "",
        "charge": "",
        "charge_units": 0,
        "source": "ask",
        "ask_gateway": False,
        "consent_asked_at": None,
        "at": AT,
    }
    return MtState(**given | fields)


def state_after(*records: Record, index: StatusIndex | None = None) -> str | None:
    """The state that the index gives after these records."""
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


def status_after(*records: Record) -> dict[str, Any]:
    """What the index shows after these records, each at the next offset."""
    index = StatusIndex()
    for offset, record in enumerate(records):
        index.enter(record, encode(record), offset=offset)
    status = index.status_of("k")
    assert status is not None
    assert status["request_id"] == "k"
    return status


@pytest.mark.parametrize("weaker", ["submitted", "failed", "unknown"])
@pytest.mark.parametrize("stronger", ["delivered", "undelivered"])
def test_of_results_alone_the_strongest_counts(stronger: str, weaker: str) -> None:
    """Evidence never goes back from delivered to submitted."""
    for order in permutations([request(), command(), result(stronger), result(weaker)]):
        assert status_after(*order)["outcome"] == stronger


def test_of_results_that_are_worth_the_same_the_latest_counts() -> None:
    results = [result("delivered"), result("undelivered", at=AT.replace(hour=1))]
    for order in permutations([request(), *results]):
        assert status_after(*order)["outcome"] == "undelivered"


def test_a_result_without_its_request_is_found_by_its_command() -> None:
    for order in permutations([request(), command(), result(request_id="")]):
        assert status_after(*order)["state"] == "result"


@pytest.mark.parametrize("name", CommandState)
def test_the_workers_word_on_a_command_holds(name: CommandState) -> None:
    """The last state holds, whatever results there are and in whatever order they came."""
    records = [request(), command(), result("submitted"), state(name, code="003")]
    for order in permutations(records):
        found = status_after(*order)
        assert found["mt_state"]["state"] == name
        assert found["mt_state"]["code"] == "003"
        if name.value in {outcome.value for outcome in Outcome}:
            assert (found["state"], found["outcome"], found["code"]) == ("result", name, "003")
            assert found["final"] == (name in ("failed", "delivered", "undelivered"))
        else:
            assert found["state"] == "command"


def test_until_its_command_is_read_a_request_is_pending() -> None:
    """The topics are read in no fixed order; `command` always has the fields of a command."""
    for records in ([state("waiting")], [state("waiting"), request()]):
        found = status_after(*records)
        assert (found["state"], found["mt_state"]["state"]) == ("pending", "waiting")
    assert status_after(state("waiting"), request(), command())["command_id"] == "c"


def test_a_command_that_is_refused_shows_its_rejection() -> None:
    records = [request(), command(), rejection(GateRule.OPTED_OUT_BEFORE_SENT, "c")]
    for order in permutations([*records, state("refused")]):
        assert status_after(*order)["state"] == "rejection"


def test_states_that_are_read_again_do_not_go_back() -> None:
    index = StatusIndex()
    history = [state("waiting"), state("permitted"), state("submitted"), state("delivered")]
    for offset, record in enumerate(history):
        index.enter(record, encode(record), offset=offset)
    for offset, record in enumerate(history):
        index.enter(record, encode(record), offset=offset)
        status = index.status_of("k")
        assert status is not None
        assert status["outcome"] == "delivered"


def test_what_names_the_handset_or_the_holder_is_not_in_the_state() -> None:
    shown = status_after(command(), state("permitted", holder="h" * 16))["mt_state"]
    assert not {"holder", "handset", "state_id"} & set(shown)


def test_the_way_of_a_result_is_kept_beside_a_later_state() -> None:
    found = status_after(
        result(way="smpp", api_id="1"), state("delivered", gateway_message_ids=["a", "b"])
    )
    assert (found["way"], found["api_id"], found["outcome"]) == ("smpp", "1", "delivered")
    assert (found["gateway_message_id"], found["gateway_message_ids"]) == ("a", ["a", "b"])


def test_a_handset_is_known_by_its_command_and_by_the_gateways_ids() -> None:
    fates = Fates(commands=3)
    for number in range(5):
        name = str(number)
        sent = command() if number else state("submitted", gateway_message_ids=["g0"])
        for offset, record in enumerate(
            [
                sent,
                state("submitted", gateway_message_ids=["", f"g{number}"]),
                result(gateway_message_id=f"r{number}"),
            ]
        ):
            named = type(record)(
                **{f: getattr(record, f) for f in record.__struct_fields__}
                | {"command_id": name, "handset": f"4477{number}"}
            )
            fates.enter(named, encode(named), offset=offset)
    assert len(fates) == 3
    for number in range(5):
        expected = f"4477{number}" if number > 1 else ""
        assert fates.handset_of(command_id=str(number), gateway_message_id="") == expected
        assert fates.handset_of(command_id="", gateway_message_id=f"g{number}") == expected
        assert fates.handset_of(command_id="x", gateway_message_id=f"r{number}") == expected
    assert fates.handset_of(command_id="", gateway_message_id="") == ""
    assert len(fates._by_gateway_id) == 6


def test_commands_are_forgotten_by_size_too() -> None:
    fates = Fates(octets=2000)
    for number in range(20):
        record = state("unknown", words="x" * 300, command_id=str(number))
        fates.enter(record, encode(record), offset=number)
    assert 0 < len(fates) < 6
    assert fates.fate_of("19") is not None


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
