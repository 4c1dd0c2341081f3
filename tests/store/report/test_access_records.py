"""What is written down of a download, a decision or a statement, and what never is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka.errors import KafkaConnectionError
from hypothesis import given
from hypothesis import strategies as st

from pipeline.avro.single_object import decode
from pipeline.kafka import topics
from pipeline.records import AccessAction, ReportAccess
from pipeline.store.report.access_records import (
    AccessRecords,
    NotNoted,
    filters_told,
    statement_told,
)
from pipeline.store.report.caller import Caller, Right, SignedInBy
from pipeline.store.report.route import PageRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

HANDSET = "447700900001"


class FakeKafka:
    """Takes records, or does not."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.sent: list[tuple[str, Any]] = []

    async def send_and_wait(self, topic: str, value: bytes) -> None:
        if self.fails:
            raise KafkaConnectionError
        self.sent.append((topic, decode(value)))

    async def stop(self) -> None:
        pass


def asked(by: SignedInBy, query: Mapping[str, str] | None = None) -> PageRequest:
    caller = Caller(
        name="anna" if by else "", rights=frozenset({Right.TEXTS, Right.DOWNLOAD}), by=by,
        address="192.0.2.7",
    )  # fmt: skip
    return PageRequest(request=None, caller=caller, query=query or {})


async def test_a_record_says_who_took_what_and_names_nobody_else() -> None:
    records, kafka = AccessRecords("k:9"), FakeKafka()
    records._producer = kafka
    query = {"handset": HANDSET, "text": "zebra", "number": "88801", "from": "2026-03-01"}
    await records.note(asked(SignedInBy.PASSWORD, query), AccessAction.DOWNLOAD, "csv lines")
    ((topic, record),) = kafka.sent
    assert topic == topics.REPORT_ACCESS
    assert isinstance(record, ReportAccess)
    assert (record.actor, record.signed_in_by, record.address) == ("anna", "password", "192.0.2.7")
    assert record.rights == ["download", "texts"]
    assert (record.action, record.what) == ("download", "csv lines")
    assert record.given == "from=2026-03-01&handset=…&number=88801&text=…"


async def test_without_users_nobody_is_named_and_no_broker_is_needed() -> None:
    await AccessRecords("").note(asked(SignedInBy.NOBODY), AccessAction.SQL, "SELECT ?")


@pytest.mark.parametrize("kafka", [None, FakeKafka(fails=True)])
async def test_what_cannot_be_written_down_is_not_given(kafka: FakeKafka | None) -> None:
    records = AccessRecords("")
    records._producer = kafka
    with pytest.raises(NotNoted):
        await records.note(asked(SignedInBy.TOKEN), AccessAction.SQL, "SELECT ?")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT 1", "SELECT ?"),
        (f"SELECT text FROM mo_message WHERE handset = '{HANDSET}'",
         "SELECT text FROM mo_message WHERE handset = ?"),
        ("SELECT 'it''s zebra', 'a\\'b zebra'", "SELECT ??, ?"),
        (f"SELECT 1 -- {HANDSET} zebra\n+ 2", "SELECT ? + ?"),
        (f"SELECT /* {HANDSET} */ 1", "SELECT ?"),
        ("SELECT /* zebra", "SELECT"),
        ("SELECT 'zebra", "SELECT ?"),
        ("SELECT '--'\n, 'zebra'", "SELECT ? , ?"),
        ("SELECT '/*', 'zebra', '*/'", "SELECT ?, ?, ?"),
        ("SELECT -- it's\n'zebra'", "SELECT ?"),
        ("SELECT $x$zebra$x$ AS a", "SELECT AS a"),
        (f'SELECT 1 AS "{HANDSET}", 2 AS `{HANDSET}`', "SELECT ? AS ?, ? AS ?"),
        (f"WHERE handset LIKE concat('4477', {HANDSET[4:]})", "WHERE handset LIKE concat(?, ?)"),
    ],
)  # fmt: skip
def test_a_statement_is_told_without_what_it_holds(statement: str, told: str) -> None:
    assert statement_told(statement) == told


@given(st.text(alphabet="'\"`$/*-\\a \n" + HANDSET))
def test_no_digits_are_left_of_any_statement(statement: str) -> None:
    assert not any(each.isdigit() for each in statement_told(statement))


@given(
    st.dictionaries(
        st.sampled_from(["handset", "number", "from", "text", "id", "rule"]),
        st.sampled_from([HANDSET, f"+{HANDSET}", f"x{HANDSET}-2", "44 7700 900001"]),
    )
)
def test_no_handset_is_left_of_any_filter(query: dict[str, str]) -> None:
    told = filters_told(query)
    assert HANDSET not in told
    assert "900001" not in told


def test_a_long_statement_takes_no_long_time() -> None:
    began = time.process_time()
    for piece in ("/*", "'", "$a$", "$", "--", '"\\', "`", "9."):
        statement_told(piece * 30_000)
    assert time.process_time() - began < 5
