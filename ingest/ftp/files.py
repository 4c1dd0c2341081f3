"""The files beside the log, and whether one of them is the log that was being read."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

from ingest.ftp.places import LOG_HEAD_OCTETS, LogHead, LogPlace, head_of
from pipeline.peer.ftp.trouble import Missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

#: A folder may hold more; those named like the log come first.
SEARCHED: Final = 1_000
#: Of a line of mo.log the first four fields are never left out (G8.3.2).
LEAST_TABS: Final = 3


class Files(Protocol):
    """What a poll needs of a server: the files of one folder."""

    skips: bool
    """Whether to read from the start up to where reading begins: the server cannot restart."""

    def names(self) -> list[str]:
        """The files of the folder."""

    def listing(self) -> object:
        """Differs once a file was added, renamed or changed."""

    def size(self, name: str) -> int | None:
        """In octets; None where the server does not say."""

    def opened(self, name: str, start: int) -> AbstractContextManager[Iterator[bytes]]:
        """Its octets from `start` on; raises `Missing`, and the iterator `Trouble`."""


@contextmanager
def resumed(
    files: Files, name: str, place: LogPlace
) -> Iterator[tuple[bytes, Iterator[bytes]] | None]:
    """What lies before the position and what comes after it; None: it is another log."""
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
    """The first line of a file or its first 4 KiB; less when it holds no more."""
    octets = b""
    try:
        with files.opened(name, 0) as blocks:
            while head_of(octets) is None and (block := next(blocks, b"")):
                octets += block
    except Missing:
        return b""
    return octets[:LOG_HEAD_OCTETS]


def siblings(files: Files, name: str) -> list[str]:
    """The other files of the folder, those named like the log first, up to `SEARCHED`."""
    others = sorted(set(files.names()) - {name})
    stem = stem_of(name)
    return sorted(others, key=lambda other: not other.startswith(stem))[:SEARCHED]


def stem_of(name: str) -> str:
    """What the names of rotated logs begin with: `mo` for `mo.log`."""
    return name[: name.find(".", 1)] if "." in name[1:] else name


def other_logs(files: Files, name: str) -> dict[LogHead, tuple[bytes, str]]:
    """First octets and name of each file beside the log that is a log by name and by its octets."""
    found: dict[LogHead, tuple[bytes, str]] = {}
    for other in siblings(files, name):
        if not other.startswith(stem_of(name)):
            break
        octets = first_octets(files, other)
        head = head_of(octets)
        if head and octets[: head.length].count(b"\t") >= LEAST_TABS:
            found.setdefault(head, (octets, other))
    return found
