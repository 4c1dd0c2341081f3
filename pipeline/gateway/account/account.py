"""The account: logins, sessions, the balance and what each message costs (guide 9)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.gateway.refusal import Refusal
from pipeline.gateway.settings import API_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from pipeline.gateway.settings import GatewaySettings

SESSION: Final = timedelta(minutes=15)  # of silence (HTTP API 2.3.8, 4.1)
MT_CREDITS: Final = 1.0  # a part
MO_CREDITS: Final = 1 / 3  # an inbound message: a third of a credit (guide 9)


@dataclass(frozen=True)
class Charge:
    """What was charged, and for what."""

    at: datetime
    what: str
    credits: float


class Account:
    """The account of one customer."""

    def __init__(self, settings: GatewaySettings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._sessions: dict[str, tuple[str, datetime]] = {}
        self.balance = settings.credits
        self.charges: list[Charge] = []

    def charge(self, credits: float, what: str) -> None:
        """Take `credits` from the balance."""
        self.balance -= credits
        self.charges.append(Charge(self._now(), what, credits))

    def open_session(self, given: Mapping[str, str]) -> str:
        """A session of 32 hex digits; raises `Refusal`."""
        session = secrets.token_hex(16)
        self._sessions[session] = (self._api_of(given), self._now())
        return session

    def api_of(self, given: Mapping[str, str]) -> str:
        """The api_id of a session or a login; raises `Refusal`."""
        session = given.get("session_id", "")
        if not session:
            if not given.get("user") and not given.get("api_id"):
                raise Refusal("005")
            return self._api_of(given)
        api_id, heard = self._sessions.get(session, ("", self._now()))
        if not api_id or self._now() - heard > SESSION:
            self._sessions.pop(session, None)
            raise Refusal("003")
        self._sessions[session] = (api_id, self._now())
        return api_id

    def _api_of(self, given: Mapping[str, str]) -> str:
        api_id = given.get("api_id", "")
        if api_id not in API_IDS.values():
            raise Refusal("108")
        user, password = given.get("user", ""), given.get("password", "")
        if (user, password) != (self._settings.user, self._settings.password):
            raise Refusal("001")
        return api_id
