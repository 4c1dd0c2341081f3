"""Whatever strangers state: no handset becomes a label, and no metric grows without a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from pipeline.directory.directory import Directory
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record
from pipeline.store.sink.tallies import MOST_NUMBERS, Tallies
from tests.store.samples import HANDSET, mo_message
from tests.support.conversation import Conversation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.records import Record

MESSAGES = "twoway_store_messages_total"
COMMANDS = "twoway_store_commands_total"
OTHERS = {"number": "other", "way": "http"}


def table_of(records: Sequence[Record]) -> TableRows:
    rows = [
        row_from_record(each, key=None, partition=0, offset=offset, written_ms=0)
        for offset, each in enumerate(records)
    ]
    kind = type(records[0])
    return TableRows(TABLE_OF[kind], columns_of(kind), rows)


def numbers_shown(name: str) -> set[str]:
    return {
        sample.labels["number"]
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name == name
    }


@given(st.lists(st.from_regex(r"\A[0-9]{3,15}\Z") | st.text(max_size=40), max_size=20))
def test_a_number_that_nobody_rented_gets_no_series(stated: list[str]) -> None:
    """Digits that a stranger states may be those of a handset."""
    before = numbers_shown(MESSAGES)
    messages = [
        mo_message(number=each, flags=["review", "unknown-number"]) for each in (*stated, HANDSET)
    ]
    Tallies().count_rows(table_of(messages))
    assert numbers_shown(MESSAGES) - before <= {"unknown"}


@given(st.from_regex(r"\A[0-9]{3,15}\Z") | st.text(min_size=1, max_size=40))
def test_the_confirmation_of_a_stop_to_a_number_of_nobody_gets_no_series(stated: str) -> None:
    """The worker confirms from the number that was texted, whoever chose it."""
    talk, before = Conversation(directory=Directory.empty()), numbers_shown(COMMANDS)
    talk.says("STOP", stated)
    talk.tick(6 * 60)  # G7.1.1: the gateway confirms after six hours
    (command,) = talk.commands
    assert (command.sender_id, command.purpose) == (stated, "confirmation")
    Tallies().count_rows(table_of([command]))
    assert numbers_shown(COMMANDS) - before <= {"unknown"}


def test_there_are_no_more_series_than_the_bound() -> None:
    tallies = Tallies()
    before = REGISTRY.get_sample_value(MESSAGES, OTHERS) or 0.0
    rented = [f"8{n:07}" for n in range(MOST_NUMBERS + 40)]
    tallies.count_rows(table_of([mo_message(number=each, flags=[]) for each in rented]))
    assert (REGISTRY.get_sample_value(MESSAGES, OTHERS) or 0.0) - before == 40
    tallies.count_rows(table_of([mo_message(number=rented[0], flags=[])]))
    assert REGISTRY.get_sample_value(MESSAGES, {"number": rented[0], "way": "http"}) == 2
    assert (REGISTRY.get_sample_value(MESSAGES, OTHERS) or 0.0) - before == 40
