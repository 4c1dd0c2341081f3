"""Every command reads the name of a handset in the same way, and refuses the same names."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main as cli
from pipeline.cli.ask import broker
from pipeline.cli.consent.stops_csv import Stop, WrongLine, stops_in
from pipeline.records import ConsentRequest, Rejected
from pipeline.sms.msisdn import handset_from_text, is_international
from pipeline.stages.consent.operator import order_from_request
from tests.support.mo import DIRECTORY, NOON

if TYPE_CHECKING:
    from pathlib import Path

TAKEN = [
    ("447700900123", "447700900123", "digits"),
    ("+447700900123", "447700900123", "plus"),
    ("00447700900123", "447700900123", "double nought is a plus"),
    ("0044 7700 900123", "447700900123", "double nought and blanks"),
    ("+44 7700 900123", "447700900123", "E.123 5.1"),
    ("+44-7700-900-123", "447700900123", "hyphens"),
    ("+44.7700.900123", "447700900123", "dots"),
    ("+1 (202) 555-0123", "12025550123", "parentheses"),
    (" 447700900123 ", "447700900123", "blanks around"),
    ("+44\u00a07700\u2009900123", "447700900123", "blanks of typesetters"),
    ("+44\u20117700\u2013900123", "447700900123", "dashes of typesetters"),
    ("\u202a+447700900123\u202c", "447700900123", "marks of direction, as copied"),
    ("\uff0b\uff14\uff147700900123", "447700900123", "full-width"),
    ("12345678", "12345678", "8 digits"),
    ("123456789012345", "123456789012345", "15 digits"),
]
REFUSED = [
    ("07700905006", "national"),
    ("+07700905006", "plus and nought"),
    ("0007700905006", "three noughts"),
    ("4477", "short"),
    ("1234567", "7 digits"),
    ("1234567890123456", "16 digits"),
    ("++447700900123", "two plus"),
    ("00+447700900123", "double nought and plus"),
    ("44+7700900123", "plus inside"),
    ("+44 (0)7700 900123", "a trunk nought"),
    ("+44 ( 0 ) 7700 900123", "a trunk nought between blanks"),
    ("447700900001.0", "a number of a spreadsheet"),
    ("447700900001.00", "the same with two places"),
    ("4.477E+11", "the same, shortened"),
    ("ACME", "letters"),
    ("+", "a plus alone"),
    ("٤٤٧٧٠٠٩٠٠١٢٣", "digits of another script"),
    ("44770090012³", "a superscript"),
    ("447700900123/4", "two in one"),
    ("447700900123\x00", "NUL"),
    ("4477\n00900123", "a line end"),
]
COMMANDS = [
    ["stop", "{}", "--reason", "x"],
    ["open", "{}", "--reason", "x"],
    ["forget", "{}", "--reason", "x"],
    ["why", "{}"],
    ["mt", "--to", "{}", "--text", "x"],
]


def outcome(
    command: list[str],
    text: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str]:
    words = [text if word == "{}" else word for word in command]
    monkeypatch.setattr(sys, "argv", ["twoway", *words, "--home", str(home)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(("text", "digits", "source"), TAKEN, ids=[row[2] for row in TAKEN])
def test_a_handset_is_read_as_people_write_it(text: str, digits: str, source: str) -> None:
    assert handset_from_text(text) == digits


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("text", [row[0] for row in REFUSED if "\x00" not in row[0]])
def test_every_command_refuses_at_once_and_alike(
    command: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = outcome(command, text, tmp_path, monkeypatch, capsys)
    assert code == 2
    assert "cannot be sent to" in " ".join(said.split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("text", [row[0] for row in TAKEN])
def test_every_command_takes_it_alike(
    command: list[str],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = outcome(command, text, tmp_path, monkeypatch, capsys)
    assert code == 1
    assert said.startswith("twoway: no stack runs under ")


@pytest.mark.parametrize("text", [row[0] for row in TAKEN + REFUSED if "\n" not in row[0]])
def test_an_import_says_the_same(text: str, tmp_path: Path) -> None:
    file = tmp_path / "stops.csv"
    file.write_text(f'handset\n"{text}"\n', encoding="utf-8")
    [(_, found)] = stops_in(file, reason="x")
    digits = handset_from_text(text)
    assert isinstance(found, Stop if digits else WrongLine)
    if isinstance(found, Stop):
        assert found.handset == digits


@pytest.mark.parametrize("action", ["stop", "open"])
@pytest.mark.parametrize("text", [row[0] for row in REFUSED])
def test_an_order_by_a_record_says_the_same(action: str, text: str) -> None:
    request = ConsentRequest(
        request_id="1",
        handset=text,
        action=action,
        actor="anna",
        reason="x",
        requested_at=NOON,
    )
    assert isinstance(order_from_request(request, directory=DIRECTORY), Rejected)


@given(st.text())
def test_what_is_read_can_be_sent_to_and_reads_as_itself(text: str) -> None:
    handset = handset_from_text(text)
    if handset:
        assert is_international(handset)
        assert handset_from_text(handset) == handset_from_text(f"+{handset}") == handset


def test_mt_asks_for_the_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published: list[broker.Outgoing] = []
    monkeypatch.setenv("TWOWAY_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(broker, "publish", lambda _, outgoing: published.extend(outgoing))
    command = ["mt", "--to", "{}", "--text", "x"]
    outcome(command, "+44 7700 900123", tmp_path, monkeypatch, capsys)
    [one] = published
    assert (one.key, one.record.to) == (b"447700900123", "447700900123")  # type: ignore[attr-defined]
