"""The stages' work for everything that one handset sends is linear, or bounded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MoPart, MoRaw
from pipeline.stages.parts import bounds as assembly_bounds
from pipeline.stages.parts import dedupe, dedupe_smpp, reassemble
from tests.hostile.growth import refuse_steep_growth
from tests.hostile.test_poison import HANDSET, NOON, NUMBERS, Running

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 4_096
SPREAD = timedelta(minutes=60)
TIMEOUT = timedelta(hours=24)


def part(number: int, *, octets: bytes = b"x" * 140, part_number: int = 1) -> MoPart:
    return MoPart(
        part_id=f"{number:032x}",
        handset=HANDSET,
        number="447700900100",
        api_id="",
        mo_msg_id=str(number),
        source="http",
        gateway_time=NOON,
        received_at=NOON,
        charset="ISO-8859-1",
        charset_given="",
        octets=octets,
        udh=b"",
        reference_bits=8,
        reference=171,
        parts_total=255,
        part_number=part_number,
        network_id="",
        flags=[],
        raw_partition=0,
        raw_offset=number,
    )


def reassembling(count: int) -> Callable[[], object]:
    parts = [part(number) for number in range(count)]

    def work() -> int:
        row, gone = None, 0
        for each in parts:
            row, messages = reassemble.reassemble(
                row, each, spread=SPREAD, timeout=TIMEOUT, account="main"
            )
            gone += len(messages)
            if row is None:
                continue
            octets = reassemble.octets_from_assemblies(row)
            if not assembly_bounds.is_within_bounds(row, len(octets)):
                row, let_go = assembly_bounds.relieve(row)
                gone += len(let_go)
        return gone

    return work


def deduping(count: int) -> Callable[[], object]:
    parts = [part(7, octets=b"%d" % number) for number in range(count)]

    def work() -> None:
        row = None
        for each in parts:
            row, accepted = dedupe.accept_part(row, each)
            assert accepted is not None

    return work


def deduping_deliveries(count: int) -> Callable[[], object]:
    given = MoRaw(
        source="smpp",
        received_at=NOON,
        method="",
        content_type="",
        query=b"",
        octets=b"x",
        bind="bind",
    )
    raws = [msgspec.structs.replace(given, delivery=number) for number in range(count)]

    def work() -> None:
        row = None
        for each in raws:
            row, accepted = dedupe_smpp.accept_delivery(row, part(7), each)
            assert accepted is not None

    return work


@pytest.mark.parametrize("stage", [reassembling, deduping, deduping_deliveries])
def test_a_stage_grows_no_faster_than_what_one_handset_sends(stage) -> None:
    refuse_steep_growth(stage, largest=LARGEST)


def taking(count: int) -> Callable[[], object]:
    running = Running()
    records = [running.record(topics.NUMBERS, single_object.encode(NUMBERS))]
    udhs = ["", "050003abff01", "050003ab0201"]
    records += [
        running.good(f"{n:0140d}", mo_msg_id=f"m{n % 5}", udh=udhs[n % 3]) for n in range(count)
    ]

    def work() -> None:
        running.task.state.discard()
        left = running.task._decide(records)
        assert left[1]

    return work


def test_the_agent_grows_no_faster_than_what_one_handset_sends() -> None:
    refuse_steep_growth(taking, largest=2_048)


def test_relief_keeps_the_newest_and_lets_go_the_oldest_first() -> None:
    row = None
    for number in range(assembly_bounds.MOST_OPEN + 1):
        at = NOON + timedelta(seconds=number)
        each = msgspec.structs.replace(part(number), received_at=at)
        row, _ = reassemble.reassemble(row, each, spread=SPREAD, timeout=TIMEOUT, account="main")
    assert row is not None
    relieved, messages = assembly_bounds.relieve(row)
    assert assembly_bounds.is_within_bounds(
        relieved, len(reassemble.octets_from_assemblies(relieved))
    )
    assert [m.received_at for m in messages] == sorted(m.received_at for m in messages)
    kept = min(each.parts[-1].received_at for each in relieved.open)
    assert max(m.received_at for m in messages) < kept
    assert {m.complete for m in messages} == {False}
