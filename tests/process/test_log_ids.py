"""Ids in log lines: whole, though digits stand in a row; what is no id of ours is masked."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.avro import single_object
from pipeline.engine.place_and_id import place_and_id
from pipeline.identity import derived_id
from pipeline.process.log_ids import LONGEST, LoggedId
from tests.store.samples import SAMPLES

NUMBER = "447700940001"
DIGITS = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        pytest.param(DIGITS, DIGITS, id="an id of ours with ten digits in a row"),
        pytest.param("order-17", "order-17", id="an application's id"),
        pytest.param(f"order-{NUMBER}", "order-[number]", id="one that holds a handset"),
        pytest.param(NUMBER, "[number]", id="a handset"),
        pytest.param("7" * 33, "[number]", id="longer than an id"),
        pytest.param("a\nb", "a b", id="a line end"),
        pytest.param("", "none", id="no id"),
        pytest.param("x" * 1000, "x" * LONGEST, id="long"),
    ],
)
def test_an_id_is_shown_whole_and_anything_else_is_masked(given: str, shown: str) -> None:
    assert str(LoggedId(given)) == shown


def test_what_we_derive_has_the_form() -> None:
    for each in range(200):
        derived = derived_id("mt-command", str(each))
        assert str(LoggedId(derived)) == derived


def test_the_guard_of_the_log_lets_it_pass() -> None:
    code = (
        "import logging\n"
        "from pipeline.process.log_guard import log_to_stderr\n"
        "from pipeline.process.log_ids import LoggedId\n"
        "from pipeline.settings import Settings\n"
        "log_to_stderr(Settings())\n"
        f"logging.getLogger('twoway.x').error('%s %s', LoggedId('{DIGITS}'), '{DIGITS}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"{DIGITS} [number]abcdef[number]abcdef" in done.stderr


def taken(value: bytes) -> Any:
    return SimpleNamespace(topic="mt-request", partition=3, offset=17, value=value)


@pytest.mark.parametrize("record", SAMPLES, ids=lambda each: type(each).__name__)
def test_a_record_is_named_by_its_place_and_by_what_it_is_about(record: Any) -> None:
    place, name, id = place_and_id(taken(single_object.encode(record)))
    assert place == "mt-request[3]@17"
    if name != "id":
        assert str(id) == str(LoggedId(getattr(record, name)))


@pytest.mark.parametrize(
    ("kind", "name"),
    [("MtRequest", "request_id"), ("MtResult", "command_id"), ("MoMessage", "message_id"),
     ("MoPart", "part_id"), ("MoRaw", "id")],
)  # fmt: skip
def test_a_message_is_named_by_the_id_that_the_report_finds(kind: str, name: str) -> None:
    record = next(each for each in SAMPLES if type(each).__name__ == kind)
    assert place_and_id(taken(single_object.encode(record)))[1] == name


@pytest.mark.parametrize("value", [b"", b"\xc3\x01", b"octets"])
def test_what_cannot_be_read_has_its_place(value: bytes) -> None:
    place, name, id = place_and_id(taken(value))
    assert (place, name, str(id)) == ("mt-request[3]@17", "id", "none")
