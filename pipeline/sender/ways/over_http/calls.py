"""Calls of one API of the gateway in a session: log in, post, read."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from pipeline.process.peer_words import keep_passing_secret, keep_secret
from pipeline.sender.way import Answer
from pipeline.sender.ways.over_http.login import SharedLogin
from pipeline.sender.ways.over_http.posting import NoAnswer, Poster
from pipeline.sender.ways.over_http.verdict import is_session_over, login_refused, not_sent
from pipeline.wire.clickatell.answers import Unclear, Well
from pipeline.wire.clickatell.message import NotSendable

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.sender.apis.api import Api
    from pipeline.sender.ways.over_http.departure import Departure
    from pipeline.sender.ways.over_http.posting import Response
    from pipeline.wire.clickatell.answers import Reply
    from pipeline.wire.clickatell.call import GatewayCall, Wire


class Calls:
    """The connections, the session and the wire format of one API."""

    def __init__(self, api: Api, wire: Wire) -> None:
        """Raises `TlsError` for an address that cannot be used."""
        keep_secret([api.password])
        self._api = api
        self._wire = wire
        self._poster = Poster(api)
        self.login = SharedLogin(self._log_in)

    async def close(self) -> None:
        """End a login that is under way, and the connections."""
        await self.login.close()
        await self._poster.close()

    async def in_session(
        self,
        call_of: Callable[[str], GatewayCall],
        *,
        departure: Departure | None = None,
        to: str = "",
        is_again: bool = False,
    ) -> tuple[Response, Reply] | Answer:
        """The gateway's answer to a call, or what was seen in place of a session.

        If the gateway says that the session has ended, the session is renewed and the call
        repeated, once.
        """
        session = await self.login.session()
        if isinstance(session, Answer):
            return session
        response, reply = await self._exchange(call_of(session), departure, to)
        if not is_session_over(reply):
            return response, reply
        self.login.drop(session)
        if is_again:
            return response, reply
        if departure is not None:
            departure.came_back()
        return await self.in_session(call_of, departure=departure, to=to, is_again=True)

    async def _exchange(
        self, call: GatewayCall, departure: Departure | None = None, to: str = ""
    ) -> tuple[Response, Reply]:
        response = await self._poster.post(call, departure)
        if not response.is_whole:
            return response, Unclear()
        return response, self._wire.read(call, response.octets, to=to)

    async def _log_in(self) -> str | Answer:
        api = self._api
        try:
            async with asyncio.timeout(api.timeout_seconds):
                call = self._wire.log_in(api.api_id, api.user, api.password)
                response, reply = await self._exchange(call)
        except (NoAnswer, TimeoutError, NotSendable) as error:
            return not_sent(f"login: {self.words_of_silence(error)}")
        if isinstance(reply, Well) and reply.value and response.status == HTTPStatus.OK:
            keep_passing_secret(f"{api.way}/{api.api_id}", reply.value)
            return reply.value
        return login_refused(response, reply, now=time.time())

    def words_of_silence(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._api.timeout_seconds:g} s"
        return str(error)
