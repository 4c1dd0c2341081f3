"""What a test sees of the logs of a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.running import RunningStack

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("line", "is_loud"),
    [
        ("2026-11-28 18:51:02,432 INFO pipeline.engine.task ERROR is only a word here", False),
        ("2026-11-28 18:51:02,432 WARNING twoway.smpp the bind broke", True),
        ("2026-11-28 18:51:02,432 CRITICAL twoway.x it ends", True),
        ("2026-11-28T18:57:19,938 ERROR no room (kafka.server)", True),
        ("2026-11-28T18:57:19,938 WARN [Quorum] Performing controller activation. The", False),
        ("  at kafka.Kafka.main(WARN)", False),
    ],
)  # fmt: skip
def test_lines_of_warning_or_above_are_seen(tmp_path: Path, line: str, is_loud: bool) -> None:
    (tmp_path / "up.log").write_text("2026-11-28 18:51:02,432 INFO up\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "worker.log").write_text(f"{line}\n")
    assert bool(RunningStack(tmp_path).loud_lines()) is is_loud
