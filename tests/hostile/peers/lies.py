"""The lies, the same for each protocol; a lie replaces an answer of an honest peer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from tests.hostile.lies import NUMBER, SECRET, TEN_MEGABYTES, TEXT
from tests.hostile.scale import dice_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.lying_server import Line

PIECE_OCTETS: Final = 60_000
SLOW_SECONDS: Final = 0.1


class Tongue(Protocol):
    """What a lie must know of a protocol: how to frame words, and an answer without end."""

    def said(self, words: bytes, answer: bytes) -> bytes:
        """The words in the frame of the protocol, as an error if the protocol has errors.

        `answer` is the honest answer; the frame takes its request number or type.
        """

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        """The beginning of an answer without end, and the octets that repeat after it."""


class Answer(NamedTuple):
    """The answer of an honest peer, which a lie replaces, and the client that waits for it."""

    line: Line
    octets: bytes
    tongue: Tongue


def _say(words: bytes) -> Callable[[Answer], None]:
    return lambda to: to.line.say(to.tongue.said(words, to.octets))


def _never_end(to: Answer) -> None:
    head, piece = to.tongue.endless(to.octets)
    to.line.say(head)
    to.line.for_ever(piece)


def _be_slow(to: Answer) -> None:
    """Send the honest answer again and again, an octet at a time."""
    while True:
        for octet in to.octets:
            to.line.say(bytes([octet]))
            time.sleep(SLOW_SECONDS)


def _say_half(to: Answer) -> None:
    to.line.say(to.octets[: max(1, len(to.octets) // 2)])


def _say_half_and_reset(to: Answer) -> None:
    _say_half(to)
    to.line.reset()


LIES: Final[dict[str, Callable[[Answer], None]]] = {
    "echoes-a-secret": _say(f"Code: 27. wrong: {SECRET} is not it".encode()),
    "echoes-a-number": _say(f"Code: 27. {NUMBER} said '{TEXT}'".encode()),
    "control-characters": _say(b"\0\x1b[2J\x07\xe2\x80\xae\0" + SECRET.encode()),
    "ten-megabytes": _say(f"{SECRET} {NUMBER} ".encode() * (TEN_MEGABYTES // 22)),
    "random-octets": lambda to: to.line.say(dice_for("octets of a peer").randbytes(50_000)),
    "never-ends": _never_end,
    "slow-octets": _be_slow,
    "says-nothing": lambda to: to.line.file.read() and None,
    "ends-at-once": lambda to: None,
    "resets-at-once": lambda to: to.line.reset(),
    "ends-in-the-middle": _say_half,
    "resets-in-the-middle": _say_half_and_reset,
}
