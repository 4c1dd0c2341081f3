"""One form for every line of every process: words, or an object of JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys

import pytest

from ingest.http.access_log import AccessLog
from pipeline.process.log_format import FORMS, JsonLines
from pipeline.settings import Settings, SettingsError
from tests.support.running import environment_without_settings

#: Logs from a library, from ours, over two lines, with a traceback, and by stop_loudly.
PROGRAM = """
import logging, sys
from pipeline.process.log_guard import log_to_stderr
from pipeline.process.stop import stop_loudly
from pipeline.settings import load_settings
log_to_stderr(load_settings())
logging.getLogger("library").warning("one\\ntwo")
try:
    raise ValueError("a defect")
except ValueError as error:
    logging.getLogger("twoway.x").error("it failed for %s", "27821234567", exc_info=error)
    stop_loudly("the end", error)
"""


def said(form: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-X", "twoway=python", "-c", PROGRAM],
        env=environment_without_settings({"log_format": form}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stderr.splitlines()


def test_every_line_is_an_object() -> None:
    lines = [json.loads(line) for line in said("json")]
    assert [line["level"] for line in lines] == ["warning", "error", "critical"]
    assert [line["logger"] for line in lines] == ["library", "twoway.x", "pipeline.process.stop"]
    assert lines[0]["message"].split() == ["one", "two"]
    assert "traceback" not in lines[0]
    assert "27821234567" not in lines[1]["message"]
    assert "ValueError" in lines[1]["traceback"]
    assert all(line["time"].endswith("Z") for line in lines)


def test_words_are_the_default() -> None:
    lines = said("words")
    assert " WARNING library one" in lines[0]
    assert any("Traceback" in line or "ValueError" in line for line in lines)


def test_a_request_is_a_line_of_the_same_form() -> None:
    async def add(log: AccessLog) -> None:
        log.add(method="GET", path="/mo/http", status=200, seconds=0.0123)

    written: list[str] = []
    log = AccessLog(written.append, form="json")
    asyncio.run(add(log))
    log.flush()
    line = json.loads("".join(written))
    assert (line["method"], line["status"], line["took_ms"]) == ("GET", 200, 12.3)
    assert set(line) >= {"time", "level", "logger", "message"}


def test_an_object_holds_what_is_not_ascii() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, 'grüße \u2028 "quoted"', (), None)
    assert json.loads(JsonLines().format(record))["message"] == record.msg
    assert "\n" not in JsonLines().format(record)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_a_setting(form: str) -> None:
    assert Settings(log_format=form).log_format == form
    with pytest.raises(SettingsError, match="log_format"):
        Settings(log_format=f"{form}s")
