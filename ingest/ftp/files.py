"""Looks at the files beside the log, to find a log that was being read under another name."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from ingest.ftp.places import LOG_HEAD_OCTETS, LogHead, LogPlace, head_of
from pipeline.peer.ftp.trouble import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

#: The most files of a folder that are searched; files named like the log come first.
SEARCHED: Final = 1_000
#: The first four fields of a line of mo.log are always there (G8.3.2).
LEAST_TABS: Final = 3


class Files(Protocol):
    """The files of one folder on a server, as a poll needs them."""

    skips: bool
    """Whether to read files from their beginning and skip octets: the server ignores REST."""

    def names(self) -> list[str]:
        """The files of the folder."""

    def listing(self) -> object:
        """A value that changes when a file is added, renamed or changed."""

    def size(self, name: str) -> int | None:
        """The size in octets; None if the server does not say."""

    def opened(self, name: str, start: int) -> AbstractContextManager[Iterator[bytes]]:
        """The octets of a file from `start` on; raises `Missing`, the iterator `Trouble`."""


@contextmanager
def resumed(
    files: Files, name: str, place: LogPlace
) -> Iterator[tuple[bytes, Iterator[bytes]] | None]:
    """The octets before the position and the octets after it; None if it is another log."""
    try:
        with files.opened(name, place.window_start) as blocks:
            octets = b""
            while len(octets) < place.needed_octets and (block := next(blocks, b"")):
                octets += block
            if not place.is_known_by(octets):
                yield None
                return
            window = place.position - place.window_start
            rest = octets[window:]
            yield octets[:window], chain([rest] if rest else [], blocks)
    except Missing:
        yield None


def first_octets(files: Files, name: str) -> bytes:
    """The beginning of a file, up to the end of its first line or 4 KiB, or the whole file."""
    octets = b""
    try:
        with files.opened(name, 0) as blocks:
            while head_of(octets) is None and (block := next(blocks, b"")):
                octets += block
    except Missing:
        return b""
    return octets[:LOG_HEAD_OCTETS]


def siblings(files: Files, name: str) -> list[str]:
    """Up to `SEARCHED` other files of the folder, files named like the log first."""
    others = sorted(set(files.names()) - {name})
    stem = stem_of(name)
    return sorted(others, key=lambda other: not other.startswith(stem))[:SEARCHED]


def stem_of(name: str) -> str:
    """The beginning of the names of rotated logs: `mo` for `mo.log`."""
    return name[: name.find(".", 1)] if "." in name[1:] else name


def other_logs(files: Files, name: str) -> dict[LogHead, tuple[bytes, str]]:
    """The other files that are logs by name and content: first octets and name, by their head."""
    found: dict[LogHead, tuple[bytes, str]] = {}
    for other in siblings(files, name):
        if not other.startswith(stem_of(name)):
            break
        octets = first_octets(files, other)
        head = head_of(octets)
        if head and octets[: head.length].count(b"\t") >= LEAST_TABS:
            found.setdefault(head, (octets, other))
    return found
