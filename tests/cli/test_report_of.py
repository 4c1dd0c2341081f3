"""Which report a command asks: the home's, or the one that the settings name; no other."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.ask import report_client as report
from pipeline.cli.ask.report_client import report_of
from pipeline.home.stack import Stack, StackError
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

STACK = Stack(kafka="127.0.0.1:9", ingest="http://i", report="http://r", pids={})


@pytest.mark.parametrize(
    ("stack", "given", "address"),
    [
        pytest.param(STACK, {}, "http://r", id="stack"),
        pytest.param(STACK, {"kafka": "127.0.0.1:9"}, "http://r", id="the-stack-by-its-broker"),
        pytest.param(STACK, {"kafka": "k:9092"}, "http://127.0.0.1:8081", id="another-broker"),
        pytest.param(None, {"kafka": "k:9092"}, "http://127.0.0.1:8081", id="a-broker"),
        pytest.param(None, {"report_port": 81}, "http://127.0.0.1:81", id="a-port"),
        pytest.param(None, {"report_host": "h"}, "http://h:8081", id="a-host"),
        pytest.param(None, {}, None, id="nothing"),
    ],
)
def test_the_report_of_a_home(
    stack: Stack | None,
    given: dict[str, Any],
    address: str | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report, "find_stack", lambda _: stack)
    settings = Settings(**(asdict(Settings(home=tmp_path)) | given))
    if address is None:
        with pytest.raises(StackError, match="no stack runs under"):
            report_of(settings)
    else:
        assert report_of(settings) == address
