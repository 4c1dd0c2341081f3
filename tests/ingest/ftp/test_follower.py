"""A log that is rotated, cut, replaced or lost, and a checkpoint that is invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ingest.ftp import metrics
from ingest.ftp.checkpoint import Checkpoint, CheckpointFile, DiskTrouble
from ingest.ftp.follower import QUIET_POLLS
from ingest.ftp.places import WINDOW_OCTETS, LogHead, LogMark, LogPlace, digest_of, head_of, thinned
from pipeline.home.lock import FolderTaken
from pipeline.records import DeadLetter
from tests.ingest.ftp.fakes import LOG, FakeFiles, FakeKafka, Watch

if TYPE_CHECKING:
    from pathlib import Path


def lines(first: int, count: int) -> list[bytes]:
    return [
        b"2026-03-29 12:00:00\t2782%06d\t4477\tmessage %d\t12345\tid%d\tISO-8859-1\t" % (n, n, n)
        for n in range(first, first + count)
    ]


def octets_of(those: list[bytes]) -> bytearray:
    return bytearray(b"".join(line + b"\n" for line in those))


def watching(files: FakeFiles) -> tuple[Watch, FakeKafka]:
    kafka = FakeKafka()
    return Watch(files, kafka), kafka


def events(event: str) -> float:
    return metrics.LOGS.labels(event)._value.get()


@pytest.fixture
def files() -> FakeFiles:
    return FakeFiles(block=65_536)


def test_of_a_large_log_only_the_end_is_read_again(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 50_000))
    watch, kafka = watching(files)
    watch.poll()
    assert len(kafka.records) == 50_000
    files.files[LOG] += octets_of(lines(50_000, 1))
    files.read_octets = 0
    watch.start()
    watch.poll()
    assert kafka.octets() == lines(0, 50_001)
    assert files.read_octets <= WINDOW_OCTETS + 200


def test_the_rest_of_a_rotated_log_is_read_before_the_new_one(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 10))
    watch, kafka = watching(files)
    watch.poll()
    files.files["old/mo.log"] = octets_of(lines(900, 3))
    files.files["unlike.any"] = files.files.pop(LOG) + octets_of(lines(10, 5))
    files.files[LOG] = octets_of(lines(15, 5))
    watch.poll()
    assert kafka.octets() == lines(0, 20)


def test_logs_that_came_and_went_between_two_polls_are_read_in_order(files: FakeFiles) -> None:
    files.files["mo.log.9"] = octets_of(lines(900, 3))  # there before the first poll
    files.files[LOG] = octets_of(lines(0, 10))
    watch, kafka = watching(files)
    watch.poll()
    files.files["mo.log.3"] = files.files.pop(LOG) + octets_of(lines(10, 5))
    files.files["mo.log.2"] = octets_of([b"2026-03-29 12:00:00\t27821\t4477\t1\t\t", *lines(15, 5)])
    files.files["mo.log.1"] = octets_of([b"2026-03-30 12:00:00\t27821\t4477\t2\t\t", *lines(20, 5)])
    files.files["mo.txt"] = bytearray(b"how to read these logs\n")
    files.files[LOG] = octets_of(lines(25, 5))
    watch.poll()
    found = kafka.octets()
    assert [line for line in found if b"id" in line] == lines(0, 30)


def test_a_log_that_is_away_is_waited_for_and_its_other_name_read(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 2))
    watch, kafka = watching(files)
    watch.poll()
    files.files["mo.1"] = files.files.pop(LOG)
    watch.poll()
    files.files["mo.1"] += octets_of(lines(2, 2))
    watch.poll()
    assert kafka.octets() == lines(0, 4)
    files.files[LOG] = octets_of(lines(4, 2))
    watch.poll()
    assert kafka.octets() == lines(0, 6)


def test_what_a_rotated_log_ends_with_is_kept_when_its_line_never_ends(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 2)) + b"2026-03-29 no end"
    watch, kafka = watching(files)
    watch.poll()
    files.files["mo.1"] = files.files.pop(LOG)
    files.files[LOG] = octets_of(lines(2, 2))
    for _ in range(QUIET_POLLS - 2):
        watch.poll()
    assert kafka.octets() == lines(0, 4)
    for _ in range(4):
        watch.poll()
    *_, letter = (each.record for each in kafka.records)
    assert isinstance(letter, DeadLetter)
    assert letter.octets == b"2026-03-29 no end"
    assert len(kafka.records) == 5


def test_of_a_log_that_is_gone_the_missing_rest_is_said(
    files: FakeFiles, caplog: pytest.LogCaptureFixture
) -> None:
    files.files[LOG] = octets_of(lines(0, 10))
    watch, kafka = watching(files)
    watch.poll()
    before = events("rest-missing")
    files.files["mo.log.1.gz"] = bytearray(b"\x1f\x8b\x08 compressed")
    files.files[LOG] = octets_of(lines(20, 1))
    for _ in range(3):
        watch.poll()
    assert kafka.octets() == lines(0, 10) + lines(20, 1)
    assert events("rest-missing") == before + 1
    octets = len(octets_of(lines(0, 10)))
    assert caplog.text.count(f"its lines after octet {octets} are missing") == 1


@pytest.mark.parametrize("has_size", [True, False])
def test_a_log_that_was_cut_is_read_on_from_near_the_cut(has_size: bool) -> None:
    files = FakeFiles(block=65_536, has_size=has_size)
    whole = lines(0, 30_000)
    watch, kafka = watching(files)
    for count in range(1_000, 30_001, 1_000):
        files.files[LOG] = octets_of(whole[:count])
        watch.poll()
    files.files[LOG] = octets_of(whole[:29_500])
    watch.poll()
    watch.poll()
    files.files[LOG] += octets_of(lines(40_000, 5))
    watch.poll()
    found = kafka.octets()
    assert set(found) == {*whole, *lines(40_000, 5)}
    assert len(found) < 30_005 + 1_000


def test_a_log_that_was_cut_and_grew_past_where_we_were_is_read_on(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 1_000))
    watch, kafka = watching(files)
    watch.poll()
    files.files[LOG] += octets_of(lines(1_000, 500))
    watch.poll()
    files.files[LOG] = octets_of(lines(0, 1_200) + lines(5_000, 800))
    watch.poll()
    assert set(kafka.octets()) == {*lines(0, 1_500), *lines(5_000, 800)}
    assert len(kafka.records) <= 1_500 + 200 + 800


def test_a_server_that_takes_rest_and_ignores_it_is_seen_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = FakeFiles(block=65_536, ignores_rest=True)
    files.files[LOG] = octets_of(lines(0, 3_000))
    watch, kafka = watching(files)
    for count in range(3):
        watch.poll()
        files.files[LOG] += octets_of(lines(3_000 + count, 1))
    watch.poll()
    assert kafka.octets() == lines(0, 3_003)
    assert caplog.text.count("accepts REST but ignores it") == 1


def test_a_checkpoint_of_the_same_log_by_another_name_is_used(files: FakeFiles) -> None:
    files.files[LOG] = octets_of(lines(0, 10))
    watch, kafka = watching(files)
    watch.poll()
    watch.start(where="the same server, by its new name")
    watch.poll()
    assert kafka.octets() == lines(0, 10)


def test_a_checkpoint_of_another_log_is_not_used(
    files: FakeFiles, caplog: pytest.LogCaptureFixture
) -> None:
    files.files[LOG] = octets_of(lines(0, 10))
    watch, kafka = watching(files)
    watch.poll()
    files.files[LOG] = octets_of(lines(50, 20))
    watch.start(where="elsewhere")
    watch.poll()
    assert kafka.octets() == lines(0, 10) + lines(50, 20)
    assert (
        "the checkpoint is of here, the log is elsewhere: it is read from its start" in caplog.text
    )


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda octets: octets[:-10], id="torn"),
        pytest.param(lambda octets: b"", id="empty"),
        pytest.param(lambda octets: octets.replace(b"mo.log", b"mx.log"), id="changed"),
        pytest.param(lambda _: b'{"a": 1}\n', id="another-file"),
        pytest.param(lambda _: digest_of(b'{"a":1}').encode() + b'\n{"a":1}', id="another-shape"),
    ],
)
def test_a_checkpoint_that_is_none_is_put_aside_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: object
) -> None:
    file = CheckpointFile(tmp_path)
    checkpoint = Checkpoint(log="here", places=(LogPlace(name=LOG, head=LogHead(3, "x")),))
    file.write(checkpoint)
    assert file.read() == checkpoint
    assert callable(damage)
    file.path.write_bytes(damage(file.path.read_bytes()))
    assert file.read() is None
    assert "is renamed to" in caplog.text
    assert file.path.with_suffix(".unreadable").exists()
    assert file.read() is None
    file.write(checkpoint)
    assert file.read() == checkpoint
    file.close()


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path)
    file.write(Checkpoint(log="first"))
    file.path.with_suffix(".new").mkdir()
    with pytest.raises(DiskTrouble):
        file.write(Checkpoint(log="second"))
    assert file.read() == Checkpoint(log="first")
    with pytest.raises(FolderTaken):
        CheckpointFile(tmp_path)
    file.close()


@pytest.mark.parametrize(
    ("octets", "length"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param(b"one", None, id="no-end"),
        pytest.param(b"one\r\ntwo\n", 5, id="first-line"),
        pytest.param(b"\n\r\n \none\ntwo\n", 9, id="blank-lines-tell-nothing-apart"),
        pytest.param(b"x" * 5_000, 4_096, id="a-long-line"),
        pytest.param(b"\n" * 5_000, 4_096, id="nothing-but-blank-lines"),
    ],
)
def test_the_head_of_a_log(octets: bytes, length: int | None) -> None:
    head = head_of(octets)
    assert (head.length if head else None) == length


def test_marks_stay_few_and_lie_near_any_cut() -> None:
    marks: tuple[LogMark, ...] = ()
    for position in range(1_000, 10_000_001, 1_000):
        marks = thinned((*marks, LogMark(position, "")))
    assert len(marks) <= 30
    for cut in range(100_000, 10_000_000, 77_777):
        below = max((mark.position for mark in marks if mark.position <= cut), default=0)
        assert cut - below <= max(10_000_000 - cut, 1_000)
