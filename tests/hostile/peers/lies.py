"""The lies: the same ones in each protocol, told in place of what an honest peer has just said."""

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
    """How a protocol says things: all that a lie must know of it."""

    def said(self, words: bytes, answer: bytes) -> bytes:
        """These words as the protocol would have them, of an error where it has such.

        `answer` is the honest one, whose number or kind the lie may need to be listened to.
        """

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        """How an answer begins that does not end, and what goes on in it for ever."""


class Answer(NamedTuple):
    """What an honest peer has just said, and who waits for it."""

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
    """The honest answer, and more when that is over, an octet at a time."""
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
