"""A statement of the gateway's as CSV that is broken, foreign, enormous or made to mislead."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cli.account.comparing import OurCharge, compare
from pipeline.cli.account.gateway_csv import GatewayLine, gateway_lines
from pipeline.cli.consent.stops_csv import WrongLine, WrongTable
from tests.hostile.growth import refuse_steep_growth
from tests.support.account_records import NUMBER, THIRD, minutes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEAD = "date,type,msgid,from,to,charge"
LINE = "2026-03-01 11:00:00,MO,A1,447700900001,88801,0.33"
#: 11:00 at +02:00 (G8.3).
AT = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)


def read(folder: Path, octets: bytes) -> list[GatewayLine | WrongLine]:
    file = folder / "statement.csv"
    file.write_bytes(octets)
    return list(gateway_lines(file))


@pytest.mark.parametrize(
    "octets",
    [
        f"{HEAD}\n{LINE}\n".encode(),
        f"\ufeff{HEAD}\r\n{LINE}\r\n".encode(),
        f"{HEAD}\n{LINE}\n".encode("utf-16"),
        f"{HEAD}\n{LINE}\n".replace(",", ";").encode(),
        f"sep=;\n{HEAD}\n{LINE}\n".replace(",", ";").encode(),
        f"{HEAD}\n{LINE}\n".replace(",", "\t").encode(),
        f"\n\n{HEAD}\n\n{LINE}\n,,,,,\n".encode(),
        f"{HEAD.upper()},Country,Status\n{LINE},GB,004\n".encode(),
        b'"Date","Direction","moMsgId","Source","Destination","Credits"\n'
        b'"2026-03-01 11:00:00","inbound","A1","447700900001","88801","0,33"\n',
        f"{HEAD}\n{LINE.replace('0.33', '-0.33')}\n".encode(),
        f"{HEAD}\n{LINE.replace('2026-03-01 11:00:00', '2026/03/01 11:00')}\n".encode(),
        f"{HEAD}\n{LINE.replace('2026-03-01 11:00:00', '01 Mar 2026 11:00:00')}\n".encode(),
        f"{HEAD}\n{LINE.replace('2026-03-01 11:00:00', '2026-03-01T09:00:00Z')}\n".encode(),
        f"{HEAD}\n{LINE.replace('2026-03-01 11:00:00', '2026-03-01T11:00:00+02:00')}\n".encode(),
        f"{HEAD}\n{LINE.replace('2026-03-01 11:00:00', str(int(AT.timestamp())))}\n".encode(),
        b"charge,date,time,to,type,msgid\n0.33,2026-03-01,11:00:00,88801,MO,A1\n",
    ],
)
def test_many_ways_to_write_one_line_are_read_as_one(tmp_path: Path, octets: bytes) -> None:
    (line,) = read(tmp_path, octets)
    assert isinstance(line, GatewayLine)
    assert (line.id, line.at, line.kind, line.amount, line.places, line.number) == (
        "A1", AT, "mo", Fraction(33, 100), 2, "88801",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (",MO,,,,0.33", "neither an id nor a time"),
        ("2026-03-01,MO,A1,,,", "no charge"),
        ("2026-03-01,MO,A1,,,free", "the charge is no amount of credits"),
        ("2026-03-01,MO,A1,,,1/0", "the charge is no amount of credits"),
        ("2026-03-01,MO,A1,,,NaN", "the charge is no amount of credits"),
        ("2026-03-01,MO,A1,,,1e999999999", "the charge is no amount of credits"),
        ("2026-03-01,MO,A1,,,0.3333333333333", "the charge is no amount of credits"),
        ('2026-03-01,MO,A1,,,"1,000.50"', "the charge is no amount of credits"),
        ("2026-03-01,MO,A1,,,\N{FULLWIDTH DIGIT NINE}", "the charge is no amount of credits"),
        ("03/04/2026,MO,A1,,,0.33", "the time cannot be read"),
        ("0000-00-00 00:00:00,MO,A1,,,0.33", "the time cannot be read"),
        ("9999999999999,MO,A1,,,0.33", "the time cannot be read"),
        ("2026-03-01,fax,A1,,,0.33", "neither MO nor MT"),
        (f"2026-03-01,MO,{'A' * 129},,,0.33", "an id is at most 128"),
        ("2026-03-01,MO,A\x1b[2J,,,0.33", "printable"),
        ("2026-03-01,MO,A1,,,0.33,more", "7 fields, and there are 6 columns"),
        ('2026-03-01,MO,"A1,,,0.33', "not CSV"),
        ("2026-03-01,MO,A\x00,,,0.33", "it holds a NUL"),
        ("x" * 20_000, "more than 16384 characters"),
    ],
)
def test_a_line_that_cannot_be_read_spoils_itself_alone(
    tmp_path: Path, line: str, words: str
) -> None:
    found = read(tmp_path, f"{HEAD}\n{line}\n{LINE}\n".encode())
    assert isinstance(found[0], WrongLine)
    assert found[0].line == 2
    assert words in found[0].words
    assert isinstance(found[1], GatewayLine)


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\n\n", b"\x00" * 64, b"PK\x03\x04" + b"\xff" * 200, b"charge\n0.33\n",
        b"a;b;c\n1;2;3\n", b"<html><body>Log in</body></html>", b"id,time\nA,2026-03-01\n",
        HEAD.encode("utf-16")[:-1], b"charge,id" + b"," * 20_000,
    ],
)  # fmt: skip
def test_what_is_no_statement_is_refused(tmp_path: Path, octets: bytes) -> None:
    with pytest.raises(WrongTable):
        read(tmp_path, octets)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WrongTable, match="No such file"):
        list(gateway_lines(tmp_path / "none.csv"))


def below_the_head(text: str) -> bytes:
    return f"{HEAD}\n{text}".encode("utf-8", "surrogatepass")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(below_the_head)))
def test_no_octets_raise_anything_else(tmp_path: Path, octets: bytes) -> None:
    try:
        found = read(tmp_path, octets)
    except WrongTable:
        return
    for each in found:
        assert isinstance(each, GatewayLine | WrongLine)
        if isinstance(each, GatewayLine):
            assert each.amount >= 0
            assert each.id.isprintable()


@pytest.mark.parametrize(
    "make",
    [
        lambda size: "9" * size,
        lambda size: "1/" + "9" * size,
        lambda size: '"' * size,
        lambda size: "2026-03-01 " * (size // 11),
        lambda size: "," * size,
    ],
    ids=["digits", "fraction", "quotes", "times", "commas"],
)
def test_a_long_line_takes_time_by_its_length(tmp_path: Path, make: Callable[[int], str]) -> None:
    def work(size: int) -> Callable[[], object]:
        octets = f"{HEAD}\n{make(size)},MO,A1,,,{make(size)}\n".encode()
        return lambda: read(tmp_path, octets)

    refuse_steep_growth(work, largest=8_000)


def test_thousands_of_equal_lines_without_ids_take_time_by_their_number() -> None:
    """All of one time and cost: each of ours looks for the nearest of them."""

    def work(size: int) -> Callable[[], object]:
        lines = [
            GatewayLine(at, "", "", minutes(0), "mo", Fraction(33, 100), 2, NUMBER)
            for at in range(size)
        ]
        charges = [OurCharge(f"m{at}", "mo", minutes(0), NUMBER, THIRD, ()) for at in range(size)]
        return lambda: compare(lines, charges, since=minutes(-9), until=minutes(9))

    refuse_steep_growth(work, largest=8_000)


def test_thousands_of_lines_of_one_id_take_time_by_their_number() -> None:
    def work(size: int) -> Callable[[], object]:
        lines = [
            GatewayLine(at, "A", "", minutes(0), "mo", Fraction(33, 100), 2, NUMBER)
            for at in range(size)
        ]
        charges = [
            OurCharge(f"m{at}", "mo", minutes(0), NUMBER, THIRD, ("A",)) for at in range(size)
        ]
        return lambda: compare(lines, charges, since=minutes(-9), until=minutes(9))

    refuse_steep_growth(work, largest=8_000)
