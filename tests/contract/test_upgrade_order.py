"""In the order of docs/upgrading.md no old process reads what a new one writes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.kafka import readers
from tests.contract.asyncapi import PROCESS_OF

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE: Final = Path(__file__).parents[2] / "docs" / "upgrading.md"
ROW: Final = re.compile(r"^\| \d+ \| (`[^|]*) \| ([^|]*) \|", re.MULTILINE)
#: Old readers of new records, and why that is no loss: the page says each of them.
HARMLESS: Final = {
    ("store", "worker"): "decisions in the report: the page asks to take none",
    ("worker", "ingest"): "the state of an MT, which the new ingest reads again",
    ("ingest", "ingest"): "as of the worker",
    ("store", "ingest"): "as of the worker",
    ("worker", "worker"): "ticks, and records that were sent on: old and new ones run side by side",
    ("sender", "ingest"): "as of the worker",
    ("twoway", "worker"): "the new command line comes last",
}
Step = tuple[frozenset[str], str]  # processes, and what is done with them


def read_by() -> dict[str, set[str]]:
    """The topics that each process reads."""
    found: dict[str, set[str]] = {"ingest": set(readers.TAILED)}
    for group, names in readers.READ_BY.items():
        found.setdefault(PROCESS_OF[group], set()).update(names)
    return found


def steps_of(page: str) -> list[Step]:
    """The steps of the page: processes, and `start`, `stop` or `swap` one after the other."""
    steps = []
    for names, words in ROW.findall(page):
        done = "stop" if "start none" in words else "start"
        done = "swap" if "one after the other" in words else done
        steps.append((frozenset(re.findall(r"`(\w+)`", names)), done))
    return steps


def clashes(steps: Iterable[Step]) -> set[tuple[str, str]]:
    """Pairs of a new writer and an old reader that run at the same time."""
    reads, old, new = read_by(), {*read_by(), *readers.WRITTEN_BY}, set()
    found: set[tuple[str, str]] = set()

    def note() -> None:
        found.update(
            (writer, reader)
            for writer in new
            for reader in old
            if reads.get(reader, set()) & set(readers.WRITTEN_BY.get(writer, ()))
        )

    for processes, done in steps:
        if done == "stop":
            old -= processes
            continue
        if done == "swap":  # where there are several, some are still old
            new |= processes
            note()
        old -= processes
        new |= processes
        note()
    return found


def test_no_old_process_reads_what_a_new_one_writes() -> None:
    steps = steps_of(PAGE.read_text())

    assert frozenset().union(*(each for each, _ in steps)) >= {*read_by(), *readers.WRITTEN_BY}
    assert clashes(steps) <= HARMLESS.keys()


@pytest.mark.parametrize(
    ("order", "clash"),
    [
        ("store worker ingest deliver sender accounts smpp ftp twoway", ("worker", "deliver")),
        ("store deliver worker sender accounts ingest smpp ftp twoway", ("worker", "sender")),
        ("store deliver sender worker accounts ingest smpp ftp twoway", ("sender", "worker")),
        ("deliver worker store sender accounts ingest smpp ftp twoway", ("worker", "store")),
        ("store deliver ingest worker sender accounts smpp ftp twoway", ("ingest", "worker")),
    ],
)
def test_another_order_is_found(order: str, clash: tuple[str, str]) -> None:
    assert clash in clashes([(frozenset({each}), "swap") for each in order.split()])
