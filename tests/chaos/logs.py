"""Whether a log holds a number, a text or a secret that was sent, in any form of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from tests.chaos.driver import NUMBERS_TOML, TEXT
from tests.chaos.traffic import LONG, TEXTS, WIDE
from tests.support.log_search import Search, logs_of, processes_without_log, rented_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class Noting(Protocol):
    """Receives the findings."""

    def add(self, kind: str, words: str) -> None: ...


KIND: Final = "in a log"
#: Those of the stack, and the workers that chaos adds.
PROCESSES: Final = ("kafka", "ingest", "worker", "store", "extra-worker")


def check_logs(
    findings: Noting,
    home: Path,
    *,
    secrets: Iterable[str],
    processes: Iterable[str] = PROCESSES,
) -> None:
    """Search every log of a home; a process without a log is a finding: it was not searched."""
    texts = (*TEXTS, LONG, WIDE, TEXT)
    check_texts(findings, home, texts, secrets=secrets, processes=processes)


def check_texts(
    findings: Noting,
    home: Path,
    texts: Iterable[str],
    *,
    secrets: Iterable[str],
    processes: Iterable[str],
) -> None:
    """Search every log of a home for numbers, for these texts and for these secrets."""
    search = Search(texts=tuple(texts), secrets=secrets, rented=rented_in(NUMBERS_TOML))
    for words in search.of(logs_of(home)):
        findings.add(KIND, words)
    for name in processes_without_log(home, processes):
        findings.add(KIND, f"there is no log of {name} to be searched")
