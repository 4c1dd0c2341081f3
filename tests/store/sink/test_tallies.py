"""What the store counts of the records that it stores, and which labels that may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from pipeline.kafka import topics
from pipeline.records import ConsentChange, MtCommand, MtRejection
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from pipeline.store.sink.tallies import Tallies
from tests.store.kafka_fake import FakeOffsets, FakeWriter, Fuse, Log, play
from tests.store.samples import HANDSET, SAMPLES, kafka_record, mo_message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.records import Record

MESSAGES, COMMANDS = "twoway_store_messages_total", "twoway_store_commands_total"
REFUSALS, STOPS = "twoway_store_refusals_total", "twoway_store_stops_total"


def value(name: str, labels: Mapping[str, str]) -> float:
    return REGISTRY.get_sample_value(name, dict(labels)) or 0.0


def sample(kind: type[Record], **fields: Any) -> Record:
    return msgspec.structs.replace(next(r for r in SAMPLES if type(r) is kind), **fields)


def table_of(records: Sequence[Record]) -> TableRows:
    kind = type(records[0])
    rows = [
        row_from_record(each, key=None, partition=0, offset=offset, written_ms=0)
        for offset, each in enumerate(records)
    ]
    return TableRows(TABLE_OF[kind], columns_of(kind), rows)


@pytest.mark.parametrize(
    ("name", "labels", "records", "count"),
    [
        pytest.param(
            MESSAGES,
            {"number": "88901", "way": "smpp"},
            [mo_message(number="88901", source="smpp", flags=[])] * 3,
            3,
            id="messages, by number and way",
        ),
        pytest.param(
            MESSAGES,
            {"number": "88901", "way": "ftp"},
            [mo_message(number="88901", source="smpp", flags=[])],
            0,
            id="another way",
        ),
        pytest.param(
            MESSAGES,
            {"number": "unknown", "way": "http"},
            [mo_message(number=HANDSET, flags=["unknown-number", "review"])],
            1,
            id="a number that is not in the directory",
        ),
        pytest.param(
            COMMANDS,
            {"number": "88901", "purpose": "confirmation"},
            [sample(MtCommand, sender_id="88901", purpose="confirmation")] * 2,
            2,
            id="commands, by number and purpose",
        ),
        pytest.param(
            REFUSALS,
            {"rule": "text-too-long"},
            [sample(MtRejection, rule="text-too-long"), sample(MtRejection, rule="opted-out")],
            1,
            id="refusals, by rule",
        ),
        pytest.param(
            STOPS,
            {"rule": "stop-all"},
            [
                sample(ConsentChange, rule="stop-all", previous_state="open", state=state)
                for state in ("confirmation-due", "stopped")
            ],
            2,
            id="a stop, with a confirmation and without",
        ),
        pytest.param(
            STOPS,
            {"rule": "confirmed"},
            [
                sample(
                    ConsentChange,
                    rule="confirmed",
                    previous_state="confirmation-due",
                    state="stopped",
                )
            ],
            0,
            id="its confirmation is no second stop",
        ),
        pytest.param(
            STOPS,
            {"rule": "operator"},
            [sample(ConsentChange, rule="operator", previous_state="stopped", state="open")],
            0,
            id="an opening is no stop",
        ),
    ],
)
def test_a_block_is_counted_by_what_its_records_say(
    name: str, labels: dict[str, str], records: list[Record], count: int
) -> None:
    before = value(name, labels)
    Tallies().count_rows(table_of(records))
    assert value(name, labels) - before == count


@pytest.mark.parametrize(("name", "label"), [(REFUSALS, "keyword-needed"), (STOPS, "gateway-said")])
def test_what_may_be_counted_once_is_there_before_it_happens(name: str, label: str) -> None:
    """An increase from nothing is none to Prometheus."""
    assert REGISTRY.get_sample_value(name, {"rule": label}) is not None


async def test_the_sink_counts_what_it_stores() -> None:
    labels = {"number": "88977", "way": "http"}
    before = value(MESSAGES, labels)
    records = [
        kafka_record(topics.MO_MESSAGE, mo_message(number="88977", flags=[]), offset=offset)
        for offset in range(20)
    ]
    log = Log({(topics.MO_MESSAGE, 0): records}, {(topics.MO_MESSAGE, 0): 20})
    fuse = Fuse()
    sink = Sink(writer=FakeWriter(fuse), limits=BlockLimits(rows=7, seconds=0.0))
    assert await play(sink, log, FakeOffsets(fuse), seed=1)
    assert value(MESSAGES, labels) - before == 20
