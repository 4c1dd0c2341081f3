"""An unreadable time in mo.log counts as the time of a neighbour, never as now."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.common.log_times import LineTimes
from pipeline.avro.single_object import decode
from pipeline.cli import main as cli
from pipeline.cli.ask import broker
from pipeline.cli.consent import orders
from pipeline.cli.records import import_log
from pipeline.cli.records.import_log import Taking
from pipeline.directory.directory import numbers_from_toml
from pipeline.records import DeadLetter, Flag, MoPart, MoRaw
from pipeline.stages.parts.normalise import normalise
from tests.ingest.ftp.fakes import LOG, FakeFiles, FakeKafka, Watch
from tests.support.mo import DIRECTORY, HANDSET, NOON, NUMBER, timestamp

if TYPE_CHECKING:
    from pathlib import Path

NOW = NOON
THREE_HOURS_AGO, ONE_HOUR_AGO = NOON - timedelta(hours=3), NOON - timedelta(hours=1)


def line(time: str, text: str = "Hello") -> bytes:
    return f"{time}\t{HANDSET}\t{NUMBER}\t{text}\t12345\t\tISO-8859-1\t".encode()


HELLO, STOP = line(timestamp(THREE_HOURS_AGO)), line(timestamp(ONE_HOUR_AGO), "STOP")
LOADED = numbers_from_toml(
    f"""
[[number]]
number = "{NUMBER}"
kind = "vmn"

[[number]]
number = "447700900124"
kind = "vmn"
extra_stop_words = ["genug"]
""",
    origin="tests/hostile/test_log_times.py",
    loaded_at=NOW,
)


class Published(list[Any]):
    """A Kafka that has everything at once."""

    def send(self, topic: str, *, key: bytes | None, value: bytes) -> Published:
        self.append(decode(value))
        return self

    def get(self, timeout: float) -> None:
        """It is there."""


def imported(octets: bytes, *, cut: int = 0) -> list[MoPart]:
    """The records that `import` makes of a log that is read in pieces of this many octets."""
    cut = cut or len(octets) or 1
    published = Published()
    blocks = (octets[at : at + cut] for at in range(0, len(octets), cut))
    Taking(published.send, now=NOW, position=0).send_lines(blocks)
    return [part_of(raw) for raw in published if not isinstance(raw, DeadLetter)]


def part_of(raw: MoRaw) -> MoPart:
    part = normalise(raw, partition=0, offset=0, directory=DIRECTORY, default_charset="ISO-8859-1")
    assert isinstance(part, MoPart)
    return part


def log_of(*lines: bytes) -> bytes:
    return b"".join(each + b"\n" for each in lines)


def test_a_mark_before_the_first_line_leaves_its_time_as_it_is() -> None:
    hello, stop = imported(b"\xef\xbb\xbf" + log_of(HELLO, STOP))
    assert (hello.gateway_time, stop.gateway_time) == (THREE_HOURS_AGO, ONE_HOUR_AGO)
    assert (hello.flags, hello.handset) == ([], HANDSET)


@pytest.mark.parametrize("cut", [1, 7, 64, 0])
@pytest.mark.parametrize("unreadable", ["", "yesterday", "0000-00-00 00:00:00", "2026-02-30 1:1:1"])
def test_an_unreadable_time_is_its_neighbours(unreadable: str, cut: int) -> None:
    odd = line(unreadable, "odd")
    parts = imported(log_of(odd, odd, HELLO, odd, STOP, odd), cut=cut)
    assert [each.gateway_time for each in parts] == [
        THREE_HOURS_AGO,
        THREE_HOURS_AGO,
        THREE_HOURS_AGO,
        THREE_HOURS_AGO,
        ONE_HOUR_AGO,
        ONE_HOUR_AGO,
    ]
    flagged = [Flag.TIMESTAMP_UNREADABLE in each.flags for each in parts]
    assert flagged == [True, True, False, True, False, True]


def test_imported_again_later_each_line_has_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    octets = log_of(line("yesterday", "a"), HELLO, line("", "b"))
    first = [each.part_id for each in imported(octets)]
    monkeypatch.setattr(sys.modules[__name__], "NOW", NOON + timedelta(days=2))
    assert [each.part_id for each in imported(octets, cut=5)] == first


lines = st.lists(
    st.one_of(
        st.integers(0, 5).map(lambda hours: line(timestamp(NOON - timedelta(hours=hours)))),
        st.just(line("yesterday")),
        st.just(b"no line"),
        st.just(b""),
    ),
    max_size=12,
)


@given(lines, st.integers(1, 40))
def test_however_it_is_read_a_log_says_the_same(lines: list[bytes], cut: int) -> None:
    assert imported(log_of(*lines), cut=cut) == imported(log_of(*lines))


def test_the_poller_keeps_the_last_time_over_polls_and_a_restart() -> None:
    files, kafka = FakeFiles(block=64), FakeKafka()
    files.files[LOG] = bytearray(log_of(HELLO))
    watch = Watch(files, kafka)
    watch.poll()
    watch.start()
    files.files[LOG] += log_of(line("yesterday", "STOP"))
    kafka.refuses = 1
    with pytest.raises(Exception, match="did not acknowledge"):
        watch.poll()
    watch.start()
    watch.poll()
    raws = [each.record for each in kafka.records]
    assert [getattr(raw, "neighbour_time", None) for raw in raws] == [
        None,
        THREE_HOURS_AGO,
        THREE_HOURS_AGO,
    ]
    assert raws[1] == raws[2]


def test_times_are_beside_lines_whatever_stands_between() -> None:
    times = LineTimes()
    assert not times.knows_a_time([b"x"])
    assert [time for _, time in times.beside([b"x", HELLO])] == [THREE_HOURS_AGO, None]
    assert [time for _, time in times.beside([b"y"])] == [THREE_HOURS_AGO]


def run_import(
    octets: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[int, str, str]:
    log = tmp_path / "mo.log"
    log.write_bytes(octets)

    class Producer(Published):
        def __enter__(self) -> Producer:
            return self

        def __exit__(self, *_: object) -> None:
            """Close nothing."""

    monkeypatch.setattr(broker, "open_producer", lambda _: Producer())
    monkeypatch.setattr(orders, "numbers_in_force", lambda _: LOADED)
    monkeypatch.setenv("TWOWAY_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr(sys, "argv", ["twoway", "import", str(log), "--home", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_log_is_refused_in_one_sentence(
    encoding: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    octets = log_of(HELLO, STOP).decode().encode(encoding)
    code, out, err = run_import(octets, tmp_path, monkeypatch, capsys)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "is UTF-16" in err


@pytest.mark.parametrize(
    ("rest", "code"),
    [
        pytest.param(STOP, 1, id="stop"),
        pytest.param(HELLO, 0, id="hello"),
        pytest.param(HELLO[:40], 1, id="cut-before-the-text"),
        pytest.param(b"", 0, id="none"),
        pytest.param(line(timestamp(NOW), "arr%EAt"), 1, id="of-a-language"),
        pytest.param(line(timestamp(NOW), "Genug!"), 1, id="of-a-number"),
    ],
)
def test_an_unfinished_last_line_that_may_be_a_stop_fails_the_import(
    rest: bytes,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, out, err = run_import(log_of(HELLO) + rest, tmp_path, monkeypatch, capsys)
    assert (found, out) == (code, "1 lines taken, 0 refused\n")
    assert ("may be a STOP" in err) == bool(code)


def test_only_so_many_lines_wait_for_a_first_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_log, "FIRST_LINES", 3)
    odd = line("yesterday", "odd")
    parts = imported(log_of(*[odd] * 4, HELLO, odd), cut=len(odd) + 1)
    assert [each.gateway_time for each in parts] == [NOW] * 4 + [THREE_HOURS_AGO] * 2
