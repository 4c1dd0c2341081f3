"""The log search of the hostile tests finds what is planted, wherever a test has its home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hostile.conftest import found_under
from tests.hostile.lies import NUMBER, SECRET, TEXT

if TYPE_CHECKING:
    from pathlib import Path

LOGS = (
    "log",
    "home/logs/worker.log",
    "home/logs/store.log",
    "home/logs/ingest.log",
    "home/log",
    "home/up.log",
    "home/troubles/ends.jsonl",
    "logs/kafka.log",
)


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a test's own; this test's own log search must not find what is planted."""
    return tmp_path_factory.mktemp("planted")


@pytest.mark.parametrize("words", [NUMBER, f"+{NUMBER}", SECRET, TEXT, NUMBER.encode().hex()])
@pytest.mark.parametrize("log", LOGS)
def test_what_is_planted_is_found(folder: Path, log: str, words: str) -> None:
    file = folder / log
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"started\nthe peer said {words}\n")
    assert found_under(folder)


def test_what_is_no_log_is_not_searched(folder: Path) -> None:
    segment = folder / "kafka-0" / "kafka" / "data" / "mo-raw-0" / "0.log"
    segment.parent.mkdir(parents=True)
    segment.write_text(NUMBER)
    assert not found_under(folder)
