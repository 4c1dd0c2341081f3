"""Keeps one transmitter's bind open, from the first time that it is needed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.peer.smpp import (
    BIND_REFUSALS,
    BIND_REFUSED_SECONDS,
    REFUSED_FOR_GOOD,
    BindRefused,
    Broken,
    Link,
)
from pipeline.process.backoff import backoff_seconds
from pipeline.process.client_tls import tls_for
from pipeline.process.peer_words import keep_secret, words_of_error
from pipeline.sender.apis.api import WINDOWS, WayName
from pipeline.sender.way import Trouble
from pipeline.sender.ways.smpp.transmitter import Transmitter
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp.bind import Bind
from pipeline.wire.smpp.pdu import Command
from pipeline.wire.smpp.statuses import THROTTLED, name_of

if TYPE_CHECKING:
    from pipeline.sender.apis.api import Api

log = logging.getLogger("twoway.sender.smpp")

CONNECT_SECONDS: Final = 10.0
#: Seconds from a refused bind to the next try, doubled each time, up to the second number.
REFUSED_BACKOFF_SECONDS: Final = (1.0, 60.0)


class NotBound(Exception):
    """There is no bind now; the words say why."""

    def __init__(self, words: str, trouble: Trouble) -> None:
        super().__init__(words)
        self.trouble = trouble


class Binding:
    """One bind: every caller that needs it while it is being opened waits for the same one."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._bind = Bind(system_id=api.user, password=api.password, system_type=api.api_id)
        if fault := smpp_bind.fault_of(self._bind):
            raise ValueError(fault)
        self._tls = tls_for("smpp", mode=api.tls, host=api.host, ca=api.ca)
        self.where = f"{api.host}:{api.port}"
        self._transmitter: Transmitter | None = None
        self._opening: asyncio.Task[Transmitter] | None = None
        self._refusals = 0
        self._not_before = 0.0  # no bind is tried before this time of the loop
        keep_secret([api.password])

    async def bound(self, deadline: float) -> Transmitter:
        """The bind, opened if there is none; raises `NotBound`."""
        if self._transmitter is not None and not self._transmitter.ended:
            return self._transmitter
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(_look_at)
        try:
            async with asyncio.timeout_at(deadline):
                return await asyncio.shield(self._opening)
        except TimeoutError:
            raise NotBound("the bind was not answered in time", Trouble.UNREACHABLE) from None

    async def _open(self) -> Transmitter:
        loop = asyncio.get_running_loop()
        if (left := self._not_before - loop.time()) > 0:
            words = f"refused {self._refusals} times, tried again in {left:.0f} s"
            raise NotBound(words, Trouble.REFUSED)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    self._api.host, self._api.port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            words = words_of_error(error) or "no connection in time"
            raise NotBound(words, Trouble.UNREACHABLE) from error
        link = Link(reader, writer)
        try:
            await link.bind(Command.BIND_TRANSMITTER, self._bind)
        except BindRefused as refused:
            link.abort()
            raise self._refused(refused, loop.time()) from refused
        except (OSError, TimeoutError, Broken) as error:
            link.abort()
            words = words_of_error(error) or "the bind was not answered in time"
            raise NotBound(words, Trouble.UNREACHABLE) from error
        except BaseException:
            link.abort()
            raise
        log.info("bound to %s as a transmitter of API %s", self.where, self._api.api_id)
        self._refusals = 0
        self._transmitter = Transmitter(link, window=self._api.window or WINDOWS[WayName.SMPP])
        return self._transmitter

    def _refused(self, refused: BindRefused, now: float) -> NotBound:
        """After ten refusals in a row the gateway blocks the address: the next bind is late."""
        shortest, longest = REFUSED_BACKOFF_SECONDS
        self._refusals += 1
        wait = backoff_seconds(self._refusals, shortest=shortest, longest=longest)
        if self._refusals >= BIND_REFUSALS and refused.status in REFUSED_FOR_GOOD:
            wait = BIND_REFUSED_SECONDS
        self._not_before = now + wait
        is_throttled = refused.status in THROTTLED
        words = f"the gateway refused the bind: {name_of(refused.status)}"
        return NotBound(words, Trouble.THROTTLED if is_throttled else Trouble.REFUSED)

    async def close(self) -> None:
        """Unbind."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._transmitter is not None:
            await self._transmitter.close()


def _look_at(opening: asyncio.Task[Transmitter]) -> None:
    """Read the error of a bind: its callers may have left, and a failed bind is no defect."""
    if not opening.cancelled():
        opening.exception()
