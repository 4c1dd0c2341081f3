"""The pages to sign in and out. They work without script, and show nothing of what is stored."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from math import ceil
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from pipeline.store.report.caller import SignedInBy
from pipeline.store.report.route import PageRequest, ReportRoute
from pipeline.store.report.who.cookies import cookie_of, end_cookie, set_cookie
from pipeline.store.report.who.guard import RETURN_PATH
from pipeline.store.report.who.password import is_password_of
from pipeline.store.report.who.single_sign_on.signed_in import SIGN_ON_SECONDS, NotSignedIn
from pipeline.store.report.who.tries import SignInTries
from pipeline.store.report.who.users_file import USER_NAME
from pipeline.web.access import AccessError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.report.pages.rendering import Rendering
    from pipeline.store.report.who.guard import Guard
    from pipeline.store.report.who.sessions import Sessions
    from pipeline.store.report.who.single_sign_on.flow import SingleSignOn
    from pipeline.store.report.who.users_now import UsersNow

log = logging.getLogger(__name__)

#: Where to go on to: a page of ours, from the first page on. No other host can be named so.
_NEXT: Final = re.compile(r"(?:[a-z0-9_-]+(?:/[a-z0-9_-]+)*)?(?:\?[^\s#\\]*)?")
_LONGEST_NEXT: Final = 2_000
_WRONG: Final = "The name or the password is wrong."
_TROUBLE: Final = "Nobody can sign in by a password now; the log of the store says why."
#: A try takes 32 MiB and a tenth of a second of a processor: so many at a time, and so many wait.
_TRIES_AT_ONCE: Final = 2
_MOST_WAITING: Final = 20
_MARKUP: Final = "text/html"


class SigningIn:
    """Lets users sign in by their password or elsewhere, and sign out."""

    def __init__(
        self,
        *,
        guard: Guard,
        users: UsersNow,
        sessions: Sessions,
        rendering: Rendering,
        single_sign_on: SingleSignOn | None,
    ) -> None:
        self._guard = guard
        self._users, self._sessions = users, sessions
        self._rendering = rendering
        self._single_sign_on = single_sign_on
        self._tries = SignInTries()
        self._free = asyncio.Semaphore(_TRIES_AT_ONCE)
        self._waiting = 0

    def routes(self) -> Iterator[ReportRoute]:
        """What somebody may ask for who has not signed in, and the way out."""
        yield ReportRoute(
            method="GET", path="/sign-in", answer=self._show, is_open=True,
            parameters=frozenset({"next"}),
        )  # fmt: skip
        yield ReportRoute(
            method="POST", path="/sign-in", answer=self._sign_in, is_open=True, has_form=True
        )
        yield ReportRoute(method="POST", path="/sign-out", answer=self._sign_out, has_form=True)
        if self._single_sign_on is not None:
            yield ReportRoute(
                method="GET", path="/sign-in/elsewhere", answer=self._leave, is_open=True,
                parameters=frozenset({"next"}),
            )  # fmt: skip
            yield ReportRoute(
                method="GET", path=RETURN_PATH, answer=self._return, is_open=True,
                parameters=None,
            )  # fmt: skip

    def asks(self, asked: PageRequest, *, status: int = 401, words: str = "") -> web.Response:
        """The page to sign in at, in place of the one that was asked for."""
        is_page = _MARKUP in asked.request.headers.get("Accept", "") and asked.request.method in (
            "GET", "HEAD", "POST",
        )  # fmt: skip
        if not is_page:
            response = web.Response(
                status=status, text=f"{words or f'sign in first: {asked.root}sign-in'}\n"
            )
        else:
            response = self._page(asked, status=status, words=words)
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer realm="twoway"'  # RFC 9110 11.6.1
        return response

    def _page(self, asked: PageRequest, *, status: int = 200, words: str = "") -> web.Response:
        caller = asked.caller
        given = asked.fields.get("next") or asked.query.get("next") or asked.here
        if not caller.is_in and not caller.session:
            caller = msgspec.structs.replace(caller, session=secrets.token_urlsafe(16))
        page = self._rendering.html(
            "sign_in.html",
            msgspec.structs.replace(
                asked, caller=caller, form_token=self._guard.form_token(caller)
            ),
            words=words,
            next=_next_of(given),
            has_single_sign_on=self._single_sign_on is not None,
            has_users=self._users.are_set,
        )
        response = web.Response(status=status, text=page, content_type=_MARKUP)
        if not caller.is_in:
            public = self._guard.public
            set_cookie(response, public.form_cookie, caller.session, is_secure=public.is_secure)
        return response

    async def _show(self, asked: PageRequest) -> web.StreamResponse:
        if asked.caller.is_in:
            return _see_other("./")
        return self._page(asked)

    async def _sign_in(self, asked: PageRequest) -> web.StreamResponse:
        name, password = asked.fields.get("name", ""), asked.fields.get("password", "")
        try:
            self._guard.public.refuse_clear()
        except AccessError as error:
            return self.asks(asked, status=503, words=str(error))
        users = await self._users.current()
        if users.trouble:
            return self.asks(asked, status=503, words=_TROUBLE)
        if not USER_NAME.fullmatch(name):
            name = ""  # no user is called so; it is tried as any other
        if seconds := self._tries.wait_seconds(name, asked.caller.address):
            wait = ceil(seconds)
            response = self.asks(asked, status=429, words=f"Too many tries: wait {wait} seconds.")
            response.headers["Retry-After"] = str(wait)
            return response
        if self._waiting >= _MOST_WAITING:
            return self.asks(asked, status=503, words="Too many people sign in now: try again.")
        user = users.known.get(name)
        self._waiting += 1
        try:
            async with self._free:
                is_right = await asyncio.to_thread(
                    is_password_of, user.password if user else None, password
                )
        finally:
            self._waiting -= 1
        if user is None or not is_right:
            log.warning("a try to sign in to the report from %s was wrong", asked.caller.address)
            return self.asks(asked, words=_WRONG)
        self._tries.start_anew(name, asked.caller.address)
        held = self._sessions.sign_in(user.name, SignedInBy.PASSWORD, password=user.password)
        return self._let_in(_see_other(_next_of(asked.fields.get("next", "")) or "./"), held)

    def _let_in(self, response: web.Response, held: str) -> web.Response:
        public = self._guard.public
        set_cookie(response, public.session_cookie, held, is_secure=public.is_secure)
        end_cookie(response, public.form_cookie, is_secure=public.is_secure)
        return response

    async def _sign_out(self, asked: PageRequest) -> web.StreamResponse:
        self._sessions.sign_out(asked.caller.session)
        response = _see_other("sign-in")
        public = self._guard.public
        end_cookie(response, public.session_cookie, is_secure=public.is_secure)
        return response

    async def _leave(self, asked: PageRequest) -> web.StreamResponse:
        """To the provider. The browser holds what its return is checked against."""
        if self._single_sign_on is None:
            raise web.HTTPNotFound
        try:
            where, held = await self._single_sign_on.send_away(
                _next_of(asked.query.get("next", ""))
            )
        except NotSignedIn as error:
            return self.asks(asked, status=503, words=str(error))
        response = _see_other(where)
        public = self._guard.public
        # Lax: the provider's page leads the browser back to us.
        set_cookie(
            response, public.single_sign_on_cookie, held,
            is_secure=public.is_secure, same_site="Lax", seconds=SIGN_ON_SECONDS,
        )  # fmt: skip
        return response

    async def _return(self, asked: PageRequest) -> web.StreamResponse:
        if self._single_sign_on is None:
            raise web.HTTPNotFound
        public = self._guard.public
        held = cookie_of(asked.request, public.single_sign_on_cookie)
        try:
            found = await self._single_sign_on.come_back(held, asked.request.query)
        except NotSignedIn as error:
            log.warning("single sign-on from %s: %s", asked.caller.address, error)
            response = self.asks(asked, status=403, words=f"Single sign-on did not work: {error}.")
        else:
            session = self._sessions.sign_in(
                found.name, SignedInBy.SINGLE_SIGN_ON, rights=found.rights
            )
            # A redirection would still be the provider's doing, and carry no cookie of ours
            # (RFC 6265bis 5.2): the page goes on by itself.
            page = self._rendering.html("signed_in.html", asked, next=found.next)
            response = self._let_in(web.Response(text=page, content_type=_MARKUP), session)
        end_cookie(response, public.single_sign_on_cookie, is_secure=public.is_secure)
        return response


def _see_other(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where})


def _next_of(given: str) -> str:
    """Where to go on to; empty for what is no page of ours, or only the way in or out."""
    if len(given) > _LONGEST_NEXT or not _NEXT.fullmatch(given) or given.startswith("sign-"):
        return ""
    return given
