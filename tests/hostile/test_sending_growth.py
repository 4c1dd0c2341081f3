"""What others may write of commands costs no more than its octets, and no row grows for ever."""

from __future__ import annotations

import time

import msgspec
import pytest

from pipeline.avro import single_object
from pipeline.conversation.tables import OUTBOX, SENT
from pipeline.kafka import topics
from pipeline.records import MoRaw, MtRequest
from tests.hostile.test_poison import HANDSET, NOON, RECORDS, Running, rows_are_small

IDS = 20_000  # of 32 characters: nearly as much as a record may have
SECONDS = 2.0  # of processor time


def status(gateway_id: str, code: str = "004", *, handset: str = HANDSET) -> MoRaw:
    return MoRaw(
        source="status-http",
        received_at=NOON,
        method="GET",
        content_type="",
        query=f"to={handset}&apiMsgId={gateway_id}&status={code}".encode(),
        octets=b"",
    )


def request(number: int, **fields: str) -> MtRequest:
    given = {"request_id": f"r{number}", "to": HANDSET, "text": f"text {number}"}
    return MtRequest(**given | fields, requested_at=NOON)  # type: ignore[arg-type]


async def commanded(*requests: MtRequest) -> Running:
    running = Running()
    records = [running.record(topics.NUMBERS, single_object.encode(RECORDS[topics.NUMBERS]))]
    records += [running.record(topics.MT_REQUEST, single_object.encode(each)) for each in requests]
    await running.take(records)
    return running


def result_of(running: Running, **fields: object) -> bytes:
    (command, *_) = running.written(topics.MT_COMMAND)
    given = msgspec.structs.replace(
        RECORDS[topics.MT_RESULT], command_id=command.command_id, handset=HANDSET, **fields
    )
    return single_object.encode(given)


@pytest.mark.timeout(120)
async def test_a_result_with_many_ids_after_their_statuses_is_taken_at_once() -> None:
    """Each id is looked up, and a status that waits under one changes the row of them all."""
    running = await commanded(request(1))
    ids = [f"{number:032x}" for number in range(IDS)]
    statuses = [
        running.record(topics.MO_RAW, single_object.encode(status(each)), key=HANDSET.encode())
        for each in ids
    ]
    await running.take(statuses)
    octets = result_of(running, outcome="submitted", gateway_message_ids=ids)
    began = time.process_time()
    await running.take([running.record(topics.MT_RESULT, octets, key=HANDSET.encode())])
    assert time.process_time() - began < SECONDS
    assert [state.state for state in running.written(topics.MT_STATE)][-1] == "delivered"


@pytest.mark.parametrize(
    "fields",
    [
        {"outcome": "submitted", "gateway_message_ids": ["9" * 64] * 20_000},
        {"outcome": "submitted", "gateway_message_ids": [f"{n:x}" for n in range(100_000)]},
        {"outcome": "submitted", "gateway_message_id": "9" * 900_000},
        {"outcome": "unknown", "words": "w" * 900_000},
        {"outcome": "failed", "final": True, "code": "c" * 900_000},
        {"outcome": "delivered", "charge": "9" * 900_000, "status": "s" * 1_000},
        {"outcome": "no such outcome"},
        {"outcome": "failed", "final": False, "retry_after_seconds": 2**31 - 1},
        {"outcome": "failed", "final": False, "retry_after_seconds": -(2**31)},
    ],
    ids=lambda fields: " ".join(f"{k} {str(v)[:12]}" for k, v in fields.items()),
)
async def test_no_result_holds_up_what_comes_after_it(fields: dict[str, object]) -> None:
    running = await commanded(request(1))
    octets = result_of(running, **fields)
    for _ in range(3):
        await running.take([running.record(topics.MT_RESULT, octets, key=HANDSET.encode())])
    await running.take([running.good("STOP")])
    assert running.texts() == ["STOP"]
    assert rows_are_small(running, most=1_000_000, table=OUTBOX)
    assert rows_are_small(running, most=1_000_000, table=SENT)


async def test_long_fields_of_requests_do_not_fill_the_row_of_a_handset() -> None:
    long = "x" * 60_000
    requests = [
        request(number, **{name: long})
        for number, name in enumerate(["api_id", "keyword", "sender_id"] * 70)
    ]
    running = await commanded(*requests)
    assert rows_are_small(running, most=100_000, table=OUTBOX)
    await running.take([running.good("STOP")])
    assert running.texts() == ["STOP"]


@pytest.mark.parametrize(
    ("handset", "rows"),
    [(HANDSET, 1), ("9" * 30_000, 0), ("1", 0), ("0" * 12, 0), ("word" * 5_000, 0), ("%00", 0)],
    ids=["a handset", "many digits", "one digit", "zeros", "words", "NUL"],
)
async def test_a_status_that_comes_first_waits_only_for_a_handset_that_may_be_sent_to(
    handset: str, rows: int
) -> None:
    running = Running()
    octets = single_object.encode(status("an-id", handset=handset))
    await running.take([running.record(topics.MO_RAW, octets, key=handset.encode())])
    number = running.task.state._number[SENT]
    assert len(running.task.state._stores[number]._rows) == rows
    await running.take([running.good("after it")])
    assert running.texts() == ["after it"]
