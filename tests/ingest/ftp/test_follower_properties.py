"""A log grows and is cut, renamed, copied and sent again in any order: each line comes once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ftp import places as ftp_places
from ingest.ftp import reading as ftp_reading
from ingest.ftp.follower import QUIET_POLLS
from pipeline.peer.ftp.trouble import Trouble
from pipeline.wire import mo_log
from tests.ingest.ftp.fakes import LOG, FakeFiles, FakeKafka, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_LINE = 100


@pytest.fixture(autouse=True, scope="module")
def small() -> Iterator[None]:
    """Limits that a few lines reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mo_log, "MAX_LINE", MAX_LINE)
        patch.setattr(ftp_places, "LOG_HEAD_OCTETS", 64)
        for module in (ftp_places, ftp_reading):
            patch.setattr(module, "WINDOW_OCTETS", 90)
        patch.setattr(ftp_reading, "LOG_BATCH_OCTETS", 120)
        yield


@dataclass
class Writer:
    """The gateway: appends line after line to its open file, if needed octet by octet."""

    files: FakeFiles
    lines: list[bytes] = field(default_factory=list)
    rest: bytes = b""  # of the line it is writing
    rotations: int = 0

    def __post_init__(self) -> None:
        self.opened = self.files.files.setdefault(LOG, bytearray())

    def next_line(self, kind: int) -> bytes:
        """Every line differs from every other."""
        count = len(self.lines)
        own = b"%04d" % count
        text = [b"yes", b"%zz", own * (MAX_LINE // 4 + 9), own * MAX_LINE, b"caf\xe9"][kind]
        line = b"2026-03-29 12:%02d:%02d\t27%09d\t4477\t%s" % (count // 60, count % 60, count, text)
        self.lines.append(line)
        return line + (b"\r\n" if count % 3 else b"\n")

    def write(self, count: int, kind: int) -> None:
        """Write this many octets of lines of this kind."""
        while count:
            if not self.rest:
                self.rest = self.next_line(kind)
            self.opened += self.rest[:count]
            written = min(count, len(self.rest))
            self.rest, count = self.rest[written:], count - written

    def finish_line(self) -> None:
        self.opened += self.rest
        self.rest = b""

    def rename(self, *, dated: bool) -> None:
        """The log gets another name; the writer keeps it open."""
        self.rotations += 1
        files = self.files.files
        if LOG not in files:
            return
        if dated:
            files[f"{LOG}-{self.rotations:04d}"] = files.pop(LOG)
            return
        for number in range(self.rotations, 0, -1):
            if f"{LOG}.{number}" in files:
                files[f"{LOG}.{number + 1}"] = files.pop(f"{LOG}.{number}")
        files[f"{LOG}.1"] = files.pop(LOG)

    def reopen(self) -> None:
        """End the line; if the log was renamed, continue in a new log."""
        self.finish_line()
        self.opened = self.files.files.setdefault(LOG, bytearray())

    def copy_and_truncate(self) -> None:
        self.finish_line()
        if self.files.files.get(LOG) is self.opened:
            self.rotations += 1
            self.files.files[f"{LOG}-{self.rotations:04d}"] = bytearray(self.opened)
            self.opened.clear()


@dataclass
class World:
    """A writer, a server and a poller, and the events that may happen to them."""

    files: FakeFiles
    kafka: FakeKafka = field(default_factory=FakeKafka)

    def __post_init__(self) -> None:
        self.writer = Writer(self.files)
        self.watch = Watch(self.files, self.kafka)
        self.watch.poll()

    def poll(self) -> None:
        with suppress(Trouble):
            self.watch.poll()

    def lose(self, keeps: bool) -> None:
        """Kafka does not acknowledge the next batch; it may still have stored the batch."""
        self.kafka.refuses, self.kafka.keeps_refused = 1, keeps

    def resend(self, counts: set[int]) -> None:
        """The log is uploaded again; polls see a part of it that grows each time."""
        whole = self.files.files[LOG]
        for count in sorted(count for count in counts if count < len(whole)):
            self.files.files[LOG] = whole[:count]
            self.poll()
        self.files.files[LOG] = whole
        self.poll()

    def end(self) -> None:
        """Every line gets its end, and the poller has time to read everything."""
        self.writer.reopen()
        for _ in range(2 * QUIET_POLLS + 4):
            self.poll()


def pieces(lines: list[bytes]) -> Counter[bytes]:
    """The lines; a line that is too long comes in pieces."""
    return Counter(
        line[at : at + MAX_LINE] for line in lines for at in range(0, len(line), MAX_LINE)
    )


counts = st.integers(1, 400)
growing = st.tuples(st.just("write"), counts, st.integers(0, 4))
polling = st.tuples(st.just("poll"))
rotating = st.one_of(
    st.tuples(st.just("rename"), st.booleans()),
    st.tuples(st.just("reopen")),
    st.tuples(st.just("copy_and_truncate")),
)
harming = st.one_of(st.tuples(st.just("start")), st.tuples(st.just("lose"), st.booleans()))
servers = st.builds(FakeFiles, block=st.sampled_from([1, 7, 64, 1000]), has_size=st.booleans())
OF_WRITER = {"write", "reopen", "copy_and_truncate"}


def happen(world: World, event: tuple[Any, ...]) -> None:
    name, *arguments = event
    if name == "rename":
        world.writer.rename(dated=arguments[0])
        return
    of: Any = world.writer if name in OF_WRITER else world.watch if name == "start" else world
    act: Callable[..., None] = getattr(of, name)
    act(*arguments)


@given(servers, st.lists(growing | polling | rotating, max_size=30))
def test_every_line_comes_once(files: FakeFiles, events: list[tuple[Any, ...]]) -> None:
    world = World(files)
    for event in events:
        happen(world, event)
    world.end()
    assert Counter(world.kafka.octets()) == pieces(world.writer.lines)


@given(servers, st.lists(growing | polling | rotating | harming, max_size=30))
def test_after_a_kill_or_without_kafka_what_comes_again_is_the_same_record(
    files: FakeFiles, events: list[tuple[Any, ...]]
) -> None:
    world = World(files)
    for event in events:
        happen(world, event)
    world.end()
    once = list(dict.fromkeys(repr(each) for each in world.kafka.records))
    by_repr = {repr(each): each for each in world.kafka.records}
    world.kafka.records = [by_repr[each] for each in once]
    assert Counter(world.kafka.octets()) == pieces(world.writer.lines)


resending = st.tuples(st.just("resend"), st.sets(st.integers(0, 400), max_size=4))


@given(st.lists(growing | polling | resending, max_size=25))
def test_a_log_that_is_sent_again_brings_nothing_twice(events: list[tuple[Any, ...]]) -> None:
    world = World(FakeFiles())
    for event in events:
        happen(world, event)
    world.end()
    assert Counter(world.kafka.octets()) == pieces(world.writer.lines)
