"""Who has signed in: sessions in memory, each known by what a cookie holds."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.store.report.caller import Right, SignedInBy

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 12 * 3600
#: The oldest ends where there are more.
MOST: Final = 10_000


class ReportSession(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who signed in."""

    name: str
    by: SignedInBy
    ends_at: float  # of the monotonic clock
    password: str = ""  # the hash by which somebody signed in: another one ends the session
    rights: frozenset[Right] = frozenset()  # of who signed in elsewhere


class Sessions:
    """Opens, finds and ends sessions. What the cookie holds is kept as a hash alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sessions: OrderedDict[bytes, ReportSession] = OrderedDict()

    def sign_in(
        self,
        name: str,
        by: SignedInBy,
        *,
        password: str = "",
        rights: frozenset[Right] = frozenset(),
    ) -> str:
        """A new session; returns what its cookie holds."""
        self._end_old()
        held = secrets.token_urlsafe(32)
        self._sessions[_digest(held)] = ReportSession(
            name=name, by=by, ends_at=self._clock() + SECONDS, password=password, rights=rights
        )
        return held

    def find(self, held: str) -> ReportSession | None:
        """The session of a cookie; None where it ended or never was."""
        found = self._sessions.get(_digest(held))
        return found if found and found.ends_at > self._clock() else None

    def sign_out(self, held: str) -> None:
        """Sign out."""
        self._sessions.pop(_digest(held), None)

    def _end_old(self) -> None:
        """The oldest come first, and all last as long."""
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if oldest.ends_at > self._clock() and len(self._sessions) < MOST:
                return
            self._sessions.popitem(last=False)


def _digest(held: str) -> bytes:
    return hashlib.sha256(held.encode("utf-8", "surrogatepass")).digest()
