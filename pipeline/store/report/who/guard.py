"""Lets callers in: the one place where a request of the report finds out who asks.

Without users, whoever passes `pipeline/web/access.py` may do everything. With users, or with single
sign-on, everybody signs in, on this machine too. The command line shows the token of its home.
"""

from __future__ import annotations

import dataclasses
import hmac
import secrets
from typing import TYPE_CHECKING, Final

from pipeline.store.report.caller import EVERYTHING, Caller, SignedInBy
from pipeline.store.report.who.cookies import cookie_of
from pipeline.store.report.who.public_address import PublicAddress
from pipeline.web.access import OTHER_SIGNS, Access, AccessError
from pipeline.web.browser_guard import BAD_HOST, host_name_of, refuse_page

if TYPE_CHECKING:
    from aiohttp import web

    from pipeline.settings import Settings
    from pipeline.store.report.caller import Right
    from pipeline.store.report.who.sessions import ReportSession, Sessions
    from pipeline.store.report.who.users_now import Users, UsersNow
    from pipeline.web.browser_guard import BrowserRefusal

COMMAND_LINE: Final = "command-line"
_BEARER: Final = b"bearer "  # RFC 6750 2.1
#: A provider sends a browser back to here: the one page that another site may lead to.
RETURN_PATH: Final = "/sign-in/return"


class Guard:
    """Lets callers in, and knows which forms are ours."""

    def __init__(
        self, settings: Settings, *, users: UsersNow, sessions: Sessions, token: str
    ) -> None:
        """Raises `AccessError` if anybody could call, or passwords would go in the clear."""
        own = dataclasses.replace(settings, http_host=settings.report_host)
        self.public = PublicAddress(settings)
        self._users, self._sessions = users, sessions
        self._token = token.encode()
        self._has_single_sign_on = bool(settings.report_oidc_issuer)
        self._secret = secrets.token_bytes(32)
        self._for_users = Access(own, asks_for_users=True)
        self._without_users: Access | None = None
        asks = self._has_single_sign_on or users.look().are_set
        try:
            self._without_users = Access(own)
        except AccessError as error:
            if not asks:
                raise AccessError(f"{error}, or add users: `twoway user add`") from None
        if asks:
            self.public.refuse_clear()

    async def caller_of(
        self, request: web.BaseRequest, path: str, *, token: bytes | None
    ) -> Caller | BrowserRefusal:
        """Who asks, or why nobody is let in. `token` is the one in the path."""
        host = request_header(request, "Host")
        if host and host_name_of(host) is None:
            return BAD_HOST
        is_return = path == RETURN_PATH
        refusal = refuse_page(
            host=host,
            origin=request_header(request, "Origin"),
            fetch_site=b"" if is_return else request_header(request, "Sec-Fetch-Site"),
        )
        if refusal:
            return refusal
        users = await self._users.current()
        asks = self._has_single_sign_on or users.are_set
        is_command_line = asks and self._is_command_line(request)
        open_to = self._without_users if not asks or path == "/metrics" else None
        access = self._for_users if is_command_line or open_to is None else open_to
        forwarded_for = request_header(request, "X-Forwarded-For")
        refusal = access.refuse(
            peer=request.remote or "",
            forwarded_for=forwarded_for,
            other_signs=request_header(request, *OTHER_SIGNS),
            token=token,
            authorization=request_header(request, "Authorization"),
            host=host,
        )
        if refusal:
            return refusal
        address = str(access.caller(request.remote or "", forwarded_for) or "")
        if is_command_line:
            return Caller(
                name=COMMAND_LINE, rights=EVERYTHING, by=SignedInBy.TOKEN, address=address
            )
        if open_to is not None:
            return Caller(name="", rights=EVERYTHING, address=address)
        return self._signed_in(request, users, address)

    def _signed_in(self, request: web.BaseRequest, users: Users, address: str) -> Caller:
        held = cookie_of(request, self.public.session_cookie)
        session = self._sessions.find(held) if held else None
        rights = _rights_now(session, users) if session else None
        if session is None or rights is None:
            form = cookie_of(request, self.public.form_cookie)
            return Caller(name="", rights=frozenset(), address=address, session=form, is_in=False)
        return Caller(
            name=session.name, rights=rights, by=session.by, address=address, session=held
        )

    async def is_still_in(self, caller: Caller) -> bool:
        """Whether the caller who was let in would be let in now with the same rights."""
        users = await self._users.current()
        if caller.by is SignedInBy.TOKEN:
            return True
        if not caller.session:
            return not (self._has_single_sign_on or users.are_set)
        session = self._sessions.find(caller.session)
        return session is not None and _rights_now(session, users) == caller.rights

    def _is_command_line(self, request: web.BaseRequest) -> bool:
        given = request_header(request, "Authorization")
        if not self._token or given[: len(_BEARER)].lower() != _BEARER:
            return False
        return hmac.compare_digest(given[len(_BEARER) :].strip(), self._token)

    def form_token(self, caller: Caller) -> str:
        """What each form of the caller's carries: no page of another site can read it."""
        bound = f"{caller.name}\0{caller.session}"
        return hmac.digest(self._secret, bound.encode(), "sha256").hex()

    def is_own_form(self, caller: Caller, token: str) -> bool:
        """Whether a form was made by `form_token` for this caller."""
        if not caller.is_in and not caller.session:
            return False  # nothing binds the form to this browser
        return hmac.compare_digest(self.form_token(caller).encode(), token.encode())


def _rights_now(session: ReportSession, users: Users) -> frozenset[Right] | None:
    """What the caller of a session may now; None where the session has ended."""
    if session.by is SignedInBy.SINGLE_SIGN_ON:
        return session.rights
    user = users.known.get(session.name)
    return user.rights if user and user.password == session.password else None


def request_header(request: web.BaseRequest, *names: str) -> bytes:
    """Every value of the headers of those names, as one list (RFC 9110 5.3)."""
    values = [value for name in names for value in request.headers.getall(name, ())]
    return ",".join(values).encode("latin-1", "replace")
