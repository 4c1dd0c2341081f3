"""A way out over HTTP: log in, post, read; the wire format is a parameter."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from pipeline.records import Outcome
from pipeline.sender.way import Answer, Found, ProbeFailed
from pipeline.sender.ways.over_http.calls import Calls
from pipeline.sender.ways.over_http.departure import Departure
from pipeline.sender.ways.over_http.posting import NoAnswer
from pipeline.sender.ways.over_http.verdict import (
    answer_of,
    found_of,
    not_sent,
    unknown,
)
from pipeline.wire.clickatell.answers import Well
from pipeline.wire.clickatell.message import NotSendable, message_from_command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.records import MtCommand
    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Submission
    from pipeline.wire.clickatell.call import GatewayCall, Wire


class WayOverHttp:
    """`Way` to one API in one wire format."""

    def __init__(self, api: Api, wire: Wire) -> None:
        """Raises `TlsError` for an address that cannot be used."""
        self._api = api
        self._wire = wire
        self._calls = Calls(api, wire)

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        departure = Departure(may_go)
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                return (await self._submit(submission.command, departure),)
        except NotSendable as error:
            return (Answer(outcome=Outcome.FAILED, words=str(error)),)
        except (NoAnswer, TimeoutError) as error:
            words = self._calls.words_of_silence(error)
            return (unknown(words) if departure.has_left else not_sent(words),)

    async def probe(self) -> str:
        self._calls.login.drop()
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                said = await self._calls.in_session(self._wire.ping)
        except (NoAnswer, TimeoutError) as error:
            raise ProbeFailed(self._calls.words_of_silence(error)) from None
        if isinstance(said, Answer):
            raise ProbeFailed(said.words)
        response, reply = said
        if not isinstance(reply, Well) or response.status != HTTPStatus.OK:
            raise ProbeFailed(answer_of(response, reply, now=time.time()).words)
        return "logged in, and the gateway answered a ping"

    async def ask_about(self, command_id: str) -> Found | None:
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                found = await self._ask(lambda session: self._wire.ask_status(session, command_id))
        except (NoAnswer, TimeoutError) as error:
            return Found(is_known=None, words=self._calls.words_of_silence(error))
        if not found.is_known or found.charge:
            return found
        return replace(found, charge=await self._charge_of(found.gateway_message_id))

    async def close(self) -> None:
        await self._calls.close()

    async def _submit(self, command: MtCommand, departure: Departure) -> Answer:
        message = message_from_command(
            command,
            callback=self._api.callback,
            max_parts=self._api.max_parts,
            required_features=self._api.req_feat,
        )
        said = await self._calls.in_session(
            lambda session: self._wire.send(session, message),
            departure=departure,
            to=message.handset,
        )
        return said if isinstance(said, Answer) else answer_of(*said, now=time.time())

    async def _ask(self, call_of: Callable[[str], GatewayCall]) -> Found:
        said = await self._calls.in_session(call_of)
        if isinstance(said, Answer):
            return Found(is_known=None, code=said.code, words=said.words)
        return found_of(*said)

    async def _charge_of(self, message_id: str) -> str:
        """The cost of the message; empty if the gateway does not say."""
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                found = await self._ask(lambda session: self._wire.ask_charge(session, message_id))
        except (NoAnswer, TimeoutError):
            return ""
        return found.charge
