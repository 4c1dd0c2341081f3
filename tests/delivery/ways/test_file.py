"""`mo.log` in a folder of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.delivery.ways import file as file_way
from pipeline.delivery.ways.file import FileReplyWay
from tests.delivery.test_forms import path_by
from tests.delivery.ways.test_http import order_by
from tests.support.delivering import message

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.delivery.way import Seen


async def appended(file: Path, *ids: str, rotate_megabytes: int = 0) -> Seen:
    path = path_by("file", url=str(file), rotate_megabytes=rotate_megabytes)
    way = FileReplyWay(path)
    try:
        for each in ids:
            seen = await way.deliver(order_by(path, message(each)), message(each))
    finally:
        await way.close()
    return seen


def logs_in(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


def ids_in(file: Path) -> list[str]:
    return [line.split("\t")[5] for line in file.read_text().splitlines()]


async def test_lines_are_appended_and_nobody_else_may_read_them(tmp_path: Path) -> None:
    file = tmp_path / "mo.log"
    assert (await appended(file, "m1", "m2")).is_delivered
    assert (await appended(file, "m3")).is_delivered
    assert ids_in(file) == ["m1", "m2", "m3"]
    assert file.stat().st_mode & 0o007 == 0


async def test_a_line_is_on_the_disk_before_it_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = file_way.os.fsync

    def note(number: int) -> None:
        synced.append(number)
        fsync(number)

    monkeypatch.setattr(file_way.os, "fsync", note)
    await appended(tmp_path / "mo.log", "m1")
    assert len(synced) == 2, "the file, and the folder that has its name"


async def test_a_line_that_a_crash_has_cut_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "mo.log"
    file.write_text("2026-03-01 14:00:00\t44")
    await appended(file, "m1")
    assert file.read_text().splitlines()[1].split("\t")[5] == "m1"


async def test_a_log_that_is_large_is_put_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_way, "MEGABYTE", 10)
    file = tmp_path / "mo.log"
    await appended(file, "m1", rotate_megabytes=1)
    await appended(file, "m2", rotate_megabytes=1)
    (old,) = logs_in(tmp_path, "mo.log.*")
    assert (ids_in(old), ids_in(file)) == (["m1"], ["m2"])


async def test_two_rotations_within_a_second_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_way, "MEGABYTE", 10)
    await appended(tmp_path / "mo.log", "m1", "m2", "m3", "m4", rotate_megabytes=1)
    found = [each for file in logs_in(tmp_path, "mo.log*") for each in ids_in(file)]
    assert sorted(found) == ["m1", "m2", "m3", "m4"]


@pytest.mark.parametrize("missing", ["no/such/mo.log", "."])
async def test_a_place_that_cannot_be_written_has_failed(tmp_path: Path, missing: str) -> None:
    seen = await appended(tmp_path / missing, "m1")
    assert not seen.is_delivered
    assert seen.words
