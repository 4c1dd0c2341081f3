"""The CSV of stops, line by line."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.consent.stops_csv import Stop, WrongLine, WrongTable, stops_in

REASON = "From the old system."

FUER = Stop("447700900077", "", "für")


def read(
    tmp_path: Path, octets: bytes, *, reason: str = REASON
) -> list[tuple[int, Stop | WrongLine]]:
    file = tmp_path / "stops.csv"
    file.write_bytes(octets)
    return list(stops_in(file, reason=reason))


RIGHT = [
    ("the handset alone", b"handset\n447700900001\n", Stop("447700900001", "", REASON)),
    ("a plus", b"handset,number\n+447700900077,+4478\n", Stop("447700900077", "4478", REASON)),
    ("no number", b"handset,number\n447700900077,\n", Stop("447700900077", "", REASON)),
    ("fields left out", b"handset,number,reason\n447700900077\n", Stop("447700900077", "", REASON)),
    (
        "its own reason",
        b"handset,reason\n447700900077,Letter\n",
        Stop("447700900077", "", "Letter"),
    ),
    (
        "a comma",
        b'handset,reason\n447700900077,"Letter, May"\n',
        Stop("447700900077", "", "Letter, May"),
    ),
    ("columns in any order", b"reason,Handset\nx,447700900077\n", Stop("447700900077", "", "x")),
    (
        "byte order mark and CRLF",
        b"\xef\xbb\xbfhandset\r\n447700900077\r\n",
        Stop("447700900077", "", REASON),
    ),
    ("no line end", b"handset\n447700900077", Stop("447700900077", "", REASON)),
    ("CR alone", b"handset,reason\r447700900077,x\r", Stop("447700900077", "", "x")),
    ("semicolons", b"handset;reason\n447700900077;a, b\n", Stop("447700900077", "", "a, b")),
    ("tabs", b"handset\treason\n447700900077\ta\n", Stop("447700900077", "", "a")),
    ("ends of nothing", b"handset,,\n447700900077,,\n", Stop("447700900077", "", REASON)),
    ("UTF-16LE", "\ufeffhandset,reason\r\n447700900077,für\r\n".encode("utf-16-le"), FUER),
    ("UTF-16BE", "\ufeffhandset\treason\r447700900077\tfür\r".encode("utf-16-be"), FUER),
    ("UTF-8", "handset,reason\n447700900077,für\n".encode(), Stop("447700900077", "", "für")),
]


@pytest.mark.parametrize(
    ("octets", "stop"), [row[1:] for row in RIGHT], ids=[row[0] for row in RIGHT]
)
def test_a_right_line(tmp_path: Path, octets: bytes, stop: Stop) -> None:
    assert read(tmp_path, octets) == [(2, stop)]


WRONG = [
    ("letters", b"handset\nACME\n", "the handset is not digits"),
    ("empty handset", b"handset,number\n,4478\n", "no handset"),
    ("letters in the number", b"handset,number\n447700900077,x\n", "the number is not digits"),
    ("too long", b"handset\n" + b"4" * 21 + b"\n", "cannot be sent to"),
    ("too many fields", b"handset\n447700900077,4478\n", "2 fields"),
    ("an open quote", b'handset,reason\n447700900077,"x\n', "not CSV"),
    ("a long reason", b"handset,reason\n447700900077," + b"x" * 1_001 + b"\n", "more than 1000"),
    ("national", b"handset\n07700905006\n", "cannot be sent to"),
    ("a field over 131,072 characters", b"handset\n" + b"4" * 200_000 + b"\n", "more than 16384"),
    ("a reason so long", b'handset,reason\n4477,"' + b"x" * 200_000 + b'"\n', "more than 16384"),
    ("a NUL", b"handset\n4477\x0000900077\n", "NUL"),
    ("no UTF-8", b"handset,reason\n447700900077,\xff\n", "not printable"),
]


@pytest.mark.parametrize(
    ("octets", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG]
)
def test_a_wrong_line_is_told_and_spoils_no_other(
    tmp_path: Path, octets: bytes, words: str
) -> None:
    (number, wrong), right = read(tmp_path, octets + b"447700900079\n")
    assert isinstance(wrong, WrongLine)
    assert (number, wrong.line) == (2, 2)
    assert words in wrong.words
    assert right[0] == 3
    assert isinstance(right[1], Stop)


def test_a_line_without_any_reason_is_wrong(tmp_path: Path) -> None:
    [(_, wrong)] = read(tmp_path, b"handset\n447700900077\n", reason="")
    assert isinstance(wrong, WrongLine)
    assert "--reason" in wrong.words


def test_blank_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    assert [
        number for number, _ in read(tmp_path, b"handset\n\n447700900077\n\r\n447700900078\n")
    ] == [3, 5]


@pytest.mark.parametrize(
    "head", [b"", b"4477\n", b"number\n", b"handset,age\n", b"handset,handset"]
)
def test_a_file_that_does_not_name_its_columns_is_refused(tmp_path: Path, head: bytes) -> None:
    with pytest.raises(WrongTable, match="must name the columns"):
        read(tmp_path, head)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongTable, match="No such file"):
        list(stops_in(tmp_path / "none.csv", reason=REASON))


def test_excels_line_about_its_delimiter_is_no_head(tmp_path: Path) -> None:
    octets = b"sep=;\r\nhandset;reason\r\n447700900077;x\r\n"
    assert read(tmp_path, octets) == [(3, Stop("447700900077", "", "x"))]


def test_of_a_utf_16_that_breaks_off_the_lines_before_are_taken(tmp_path: Path) -> None:
    octets = "\ufeffhandset\n447700900077\n44".encode("utf-16-le")[:-1]
    (_, right), (number, wrong) = read(tmp_path, octets)
    assert right == Stop("447700900077", "", REASON)
    assert isinstance(wrong, WrongLine)
    assert (number, wrong.line) == (3, 3)


def test_a_utf_16_without_a_mark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongTable, match="must name the columns"):
        read(tmp_path, "handset\n447700900077\n".encode("utf-16-le"))


@given(st.binary(max_size=300), st.sampled_from([b"", b"handset\n", b"\xff\xfeh\x00"]))
def test_whatever_the_octets_there_is_no_traceback(octets: bytes, head: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, suppress(WrongTable):
        for _, found in read(Path(folder), head + octets):
            assert isinstance(found, Stop | WrongLine)
