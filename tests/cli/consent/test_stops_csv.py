"""The CSV of stops, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.cli.consent.stops_csv import Stop, WrongLine, WrongTable, stops_in

if TYPE_CHECKING:
    from pathlib import Path

REASON = "From the old system."


def read(
    tmp_path: Path, octets: bytes, *, reason: str = REASON
) -> list[tuple[int, Stop | WrongLine]]:
    file = tmp_path / "stops.csv"
    file.write_bytes(octets)
    return list(stops_in(file, reason=reason))


RIGHT = [
    ("the handset alone", b"handset\n447700900001\n", Stop("447700900001", "", REASON)),
    ("a plus", b"handset,number\n+4477,+4478\n", Stop("4477", "4478", REASON)),
    ("no number", b"handset,number\n4477,\n", Stop("4477", "", REASON)),
    ("fields left out", b"handset,number,reason\n4477\n", Stop("4477", "", REASON)),
    ("its own reason", b"handset,reason\n4477,Letter\n", Stop("4477", "", "Letter")),
    ("a comma", b'handset,reason\n4477,"Letter, May"\n', Stop("4477", "", "Letter, May")),
    ("columns in any order", b"reason,Handset\nx,4477\n", Stop("4477", "", "x")),
    ("byte order mark and CRLF", b"\xef\xbb\xbfhandset\r\n4477\r\n", Stop("4477", "", REASON)),
    ("no line end", b"handset\n4477", Stop("4477", "", REASON)),
    ("UTF-8", "handset,reason\n4477,für\n".encode(), Stop("4477", "", "für")),
]


@pytest.mark.parametrize(
    ("octets", "stop"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT]
)
def test_a_right_line(tmp_path: Path, octets: bytes, stop: Stop) -> None:
    assert read(tmp_path, octets) == [(2, stop)]


WRONG = [
    ("letters", b"handset\nACME\n", "the handset is not digits"),
    ("empty handset", b"handset,number\n,4478\n", "no handset"),
    ("letters in the number", b"handset,number\n4477,x\n", "the number is not digits"),
    ("too long", b"handset\n" + b"4" * 21 + b"\n", "the handset is not digits"),
    ("too many fields", b"handset\n4477,4478\n", "2 fields"),
    ("an open quote", b'handset,reason\n4477,"x\n', "not CSV"),
    ("a long reason", b"handset,reason\n4477," + b"x" * 1_001 + b"\n", "more than 1000"),
    ("no UTF-8", b"handset,reason\n4477,\xff\n", "not printable"),
]


@pytest.mark.parametrize(
    ("octets", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_line_is_told_and_spoils_no_other(
    tmp_path: Path, octets: bytes, words: str
) -> None:
    (number, wrong), right = read(tmp_path, octets + b"4479\n")
    assert isinstance(wrong, WrongLine)
    assert (number, wrong.line) == (2, 2)
    assert words in wrong.words
    assert right[0] == 3
    assert isinstance(right[1], Stop)


def test_a_line_without_any_reason_is_wrong(tmp_path: Path) -> None:
    [(_, wrong)] = read(tmp_path, b"handset\n4477\n", reason="")
    assert isinstance(wrong, WrongLine)
    assert "--reason" in wrong.words


def test_blank_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    assert [number for number, _ in read(tmp_path, b"handset\n\n4477\n\r\n4478\n")] == [3, 5]


@pytest.mark.parametrize(
    "head", [b"", b"4477\n", b"number\n", b"handset,age\n", b"handset,handset"]
)
def test_a_file_that_does_not_name_its_columns_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(WrongTable, match="must name the columns"):
        read(tmp_path, head)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongTable, match="No such file"):
        list(stops_in(tmp_path / "none.csv", reason=REASON))
