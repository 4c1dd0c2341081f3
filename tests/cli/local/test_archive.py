"""The archive of the broker's classes: made once for each Java, and used by each later start."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pipeline.cli.local.archive import archive_classes, class_archive
from pipeline.cli.local.java import Java

JAVA = Java(path=Path("/opt/java/bin/java"), version=21, words="build 21.0.3+9", origin="PATH")


class Maker:
    """Writes an archive of these octets, and counts how often it was asked."""

    def __init__(self, octets: bytes | None) -> None:
        self.octets = octets
        self.asked = 0

    def __call__(self, archive: Path) -> None:
        self.asked += 1
        if self.octets is not None:
            archive.write_bytes(self.octets)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "twoway"
    folder.mkdir()
    return folder


def test_an_archive_is_made_once() -> None:
    make = Maker(b"classes")
    first, second = class_archive(JAVA, make), class_archive(JAVA, make)
    assert first is not None
    assert (first, first.read_bytes(), make.asked) == (second, b"classes", 1)


def test_a_java_that_writes_no_archive_is_not_asked_again() -> None:
    make = Maker(b"")
    assert [class_archive(JAVA, make) for _ in range(2)] == [None, None]
    assert make.asked == 1


def test_an_archive_that_could_not_be_made_is_made_at_the_next_start() -> None:
    assert class_archive(JAVA, Maker(None)) is None
    assert class_archive(JAVA, Maker(b"classes")) is not None


def test_what_a_broken_off_start_left_is_no_archive(cache: Path) -> None:
    def broken_off(archive: Path) -> None:
        archive.write_bytes(b"half of the cla")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        class_archive(JAVA, broken_off)
    assert not list(cache.glob("*.jsa"))
    assert class_archive(JAVA, Maker(None)) is None


@pytest.mark.parametrize(
    "other", [{"words": "build 21.0.4+7"}, {"path": Path("/opt/other/bin/java")}]
)
def test_another_java_gets_an_archive_of_its_own(other: dict[str, str | Path]) -> None:
    make = Maker(b"classes")
    archives = {class_archive(each, make) for each in (JAVA, dataclasses.replace(JAVA, **other))}
    assert (len(archives), make.asked) == (2, 2)


def test_a_java_that_refuses_leaves_an_empty_file(tmp_path: Path) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    archive = tmp_path / "archive"
    refusing = dataclasses.replace(JAVA, path=program)
    archive_classes(refusing, jars="none.jar", names=tmp_path / "names", archive=archive)
    assert archive.read_bytes() == b""
