"""The interface of every way out: it makes one attempt of one command, and returns what it saw.

A way speaks the gateway's protocol, and decides nothing. The worker decides whether to send,
whether to try again, and what a lost answer means (`pipeline/stages/sending`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from pipeline.records import MtCommand, Outcome


@dataclass(frozen=True, kw_only=True)
class Submission:
    """One attempt of one command. `parts` are the part numbers to send, from 1; empty is all."""

    command: MtCommand
    attempt: int
    parts: tuple[int, ...] = ()


class PermitEnded(Exception):
    """The permit ended before the first octet was written: nothing was sent."""


class Trouble(Enum):
    """A fault of the API, and not of the message, that an answer shows."""

    NONE = auto()
    #: The peer was not reached: connecting, TLS, or the name of the host failed.
    UNREACHABLE = auto()
    #: The gateway refuses everything that we send: login, account, credit (001-007, 108, 301).
    REFUSED = auto()
    #: The gateway asks us to send more slowly (130, HTTP 429, SMPP 0x58 and 0x14).
    THROTTLED = auto()


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The outcome of a submission, or of one part of it.

    `outcome` is submitted, failed or unknown. Failed means that the gateway did not take it.
    Unknown means that octets may have left and no answer was understood. The words come from
    `pipeline.process.peer_words`: bounded, without secrets and numbers.
    """

    outcome: Outcome
    is_temporary: bool = False  # of failed: a later attempt may succeed
    gateway_message_ids: tuple[str, ...] = ()
    code: str = ""
    words: str = ""
    part_number: int = 0  # from 1; 0: the whole message
    trouble: Trouble = Trouble.NONE
    retry_after_seconds: int = 0  # 0: the gateway did not say


@dataclass(frozen=True, kw_only=True)
class Found:
    """The gateway's answer to a query about a message.

    `status` has 3 digits. `is_known` is False if the gateway knows no such message (ERR 103, 104),
    and None if its answer says neither.
    """

    is_known: bool | None
    gateway_message_id: str = ""
    status: str = ""
    charge: str = ""
    gateway_at: datetime | None = None
    code: str = ""
    words: str = ""


class Way(Protocol):
    """A way out to one API; it connects when needed."""

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        """Send an attempt; return one answer, or one for each part.

        `may_go` is called right before the first octet of the message is written, each time; if it
        returns False, `PermitEnded` is raised. Nothing else is raised: a failed connection is an
        answer. Takes no longer than the API's `timeout_seconds`.
        """

    async def probe(self) -> str:
        """Connect, log in and make a request that sends no message; return words about the answer.

        Raises `ProbeFailed` with words.
        """

    async def ask_about(self, command_id: str) -> Found | None:
        """Ask by cliMsgId for the status of a command; None if this way cannot ask."""

    async def close(self) -> None:
        """End the connections."""


class ProbeFailed(Exception):
    """The API cannot be used now; the message says why, and holds no secret."""
