"""Whether a log has a number, a text or a secret of what was sent, in any form of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.chaos.driver import NUMBERS_TOML, TEXT
from tests.chaos.traffic import LONG, TEXTS, WIDE
from tests.support.log_search import Search, logs_of, processes_without_log, rented_in

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.chaos.checker import Findings

KIND: Final = "in a log"
#: Those of the stack, and the workers that chaos adds.
PROCESSES: Final = ("kafka", "ingest", "worker", "store", "extra-worker")


def check_logs(
    findings: Findings,
    home: Path,
    *,
    secrets: Iterable[str],
    processes: Iterable[str] = PROCESSES,
) -> None:
    """Search every log of a home; a process that said nothing is a finding: it was not searched."""
    search = Search(
        texts=(*TEXTS, LONG, WIDE, TEXT), secrets=secrets, rented=rented_in(NUMBERS_TOML)
    )
    for words in search.of(logs_of(home)):
        findings.add(KIND, words)
    for name in processes_without_log(home, processes):
        findings.add(KIND, f"there is no log of {name} to be searched")
