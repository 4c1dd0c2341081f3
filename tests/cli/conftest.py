"""The command line in this process, on a broker."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main as cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    RunOn = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunOn:
    """Runs a command line on the broker that is named first: exit code, stdout and stderr."""

    def run(bootstrap: str, *arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("TWOWAY_KAFKA", bootstrap)
        monkeypatch.setenv("TWOWAY_HOME", str(tmp_path))
        monkeypatch.setattr(sys, "argv", ["twoway", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run
