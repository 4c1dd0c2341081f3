"""The SMPP receiver process: it binds to the gateway, and binds again whenever the bind ends."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ingest.common.process import kafka_answers
from ingest.publish.publisher import KafkaPublisher
from ingest.smpp import metrics
from ingest.smpp.deliveries import Deliveries
from ingest.smpp.session import Session
from ingest.smpp.settings import SmppError, bind_from_settings, client_tls_from_settings
from pipeline.clock import PipelineClock
from pipeline.home.stack import bootstrap_of
from pipeline.peer.smpp import (
    BIND_REFUSALS,
    BIND_REFUSED_SECONDS,
    REFUSED_FOR_GOOD,
    BindRefused,
    Broken,
    Link,
)
from pipeline.process.backoff import Backoff, spread
from pipeline.process.peer_words import peer_words
from pipeline.web.daemon import EXIT_SETTINGS, EXIT_TAKEN, run_process, run_until_signalled

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from ingest.publish.publisher import Publisher
    from pipeline.settings import Settings

log = logging.getLogger("twoway.smpp")
T = TypeVar("T")

CONNECT_SECONDS: Final = 10.0
KAFKA_SECONDS: Final = 0.1
BACKOFF_SECONDS: Final = (0.5, 30.0)
#: A bind that ended sooner does not reset the back-off. Otherwise a gateway that cuts each bind at
#: once would be called without a pause.
LASTED_SECONDS: Final = 30.0


class Receiver:
    """Keeps one bind up; tests use another publisher."""

    def __init__(self, settings: Settings, *, publisher: Publisher | None = None) -> None:
        self._settings = settings
        self._command, self._bind = bind_from_settings(settings)
        self._tls = client_tls_from_settings(settings)
        self._publisher = publisher or KafkaPublisher(
            lambda: bootstrap_of(settings), timeout_seconds=settings.acknowledge_timeout_ms / 1000
        )
        self._now = PipelineClock(settings.home).now
        self._refusals = 0
        self._said = ""
        self.is_bound = False

    async def run(self, ended: asyncio.Event) -> None:
        """Keep a bind up until `ended`."""
        metrics.WINDOW.set(self._settings.smpp_window)
        self._publisher.start()
        backoff = Backoff(*BACKOFF_SECONDS)
        ending = asyncio.create_task(ended.wait())
        try:
            while await self._may_bind(ending):
                if await self._bind_once(ending):
                    backoff.succeeded()
                wait = backoff.failed()
                if self._refusals >= BIND_REFUSALS:
                    wait = BIND_REFUSED_SECONDS
                await asyncio.wait([ending], timeout=spread(wait))
        finally:
            ending.cancel()
            await self._publisher.stop()

    async def _may_bind(self, ending: asyncio.Task[bool]) -> bool:
        """Wait until Kafka answers (True) or `ending` is done (False)."""
        if not self._publisher.is_reachable:
            log.info("binding once Kafka answers")
        return await kafka_answers(self._publisher, ending, every_seconds=KAFKA_SECONDS)

    async def _bind_once(self, ending: asyncio.Task[bool]) -> bool:
        """Bind and receive until the bind ends; whether the bind lasted `LASTED_SECONDS`."""
        where = f"{self._settings.smpp_host}:{self._settings.smpp_port}"
        try:
            reader, writer = await _unless_ended(ending, self._connect())
        except _Ended:
            return False
        except (OSError, TimeoutError) as error:
            is_tls = isinstance(error, ssl.SSLError)
            metrics.BINDS.labels("untrusted" if is_tls else "unreachable").inc()
            self._say_once(f"{where} cannot be reached: {error or 'no answer'}")
            return False
        link = Link(reader, writer)
        session = Session(
            link,
            deliveries=Deliveries(
                publisher=self._publisher,
                now=self._now,
                alphabet=self._settings.smpp_default_alphabet,
            ),
            window=self._settings.smpp_window,
            enquire_seconds=self._settings.smpp_enquire_seconds,
        )
        try:
            return await self._use(link, session, ending, where)
        except Exception as error:  # whatever it is, of one bind: the next begins
            metrics.BINDS.labels("failed").inc()
            log.error("%s: the bind met a defect", where, exc_info=error)
            return False
        finally:
            await session.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                self._settings.smpp_host, self._settings.smpp_port, ssl=self._tls
            )

    async def _use(
        self, link: Link, session: Session, ending: asyncio.Task[bool], where: str
    ) -> bool:
        try:
            await _unless_ended(ending, link.bind(self._command, self._bind))
        except _Ended:
            return False
        except BindRefused as refused:
            metrics.BINDS.labels("refused").inc()
            self._say_once(f"{where}: {refused}")
            self._count_refusal(refused)
            return False
        except (OSError, TimeoutError, Broken) as error:
            metrics.BINDS.labels("failed").inc()
            self._say_once(f"{where}: the bind was not answered: {error or 'in time'}")
            return False
        metrics.BINDS.labels("bound").inc()
        log.info("bound to %s as %s", where, self._settings.smpp_bind)
        self._refusals = 0
        self._said = ""
        self._set(bound=True)
        bound_at = asyncio.get_running_loop().time()
        receiving = asyncio.create_task(session.receive())
        try:
            await asyncio.wait([receiving, ending], return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()
                log.warning("%s has unbound", where)
            else:
                receiving.cancel()
                with suppress(asyncio.CancelledError):
                    await receiving
                await session.unbind()
        except (OSError, Broken) as error:
            log.warning("%s: the bind broke: %s", where, error)
        finally:
            receiving.cancel()
            self._set(bound=False)
        return asyncio.get_running_loop().time() - bound_at >= LASTED_SECONDS

    def _count_refusal(self, refused: BindRefused) -> None:
        self._refusals += refused.status in REFUSED_FOR_GOOD
        if self._refusals == BIND_REFUSALS:
            log.error(
                "refused %d times in a row, tried again every %.0f s: see the settings smpp_*",
                BIND_REFUSALS,
                BIND_REFUSED_SECONDS,
            )

    def _say_once(self, words: str) -> None:
        """Log why there is no bind, as a warning only if the reason is a new one."""
        words = peer_words(words)
        log.log(logging.DEBUG if words == self._said else logging.WARNING, words)
        self._said = words

    def _set(self, *, bound: bool) -> None:
        self.is_bound = bound
        metrics.BOUND.set(bound)


class _Ended(Exception):
    """The process was asked to end before the work was done."""


async def _unless_ended(ending: asyncio.Task[bool], work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`; raises `_Ended` if `ending` is done first."""
    task = asyncio.create_task(work)
    await asyncio.wait([task, ending], return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        raise _Ended
    return task.result()


def run(settings: Settings) -> None:
    """Receive until SIGTERM or SIGINT; exits with 2 for wrong settings, 1 for a taken port."""

    async def main() -> None:
        receiver = Receiver(settings)
        await run_until_signalled(receiver.run, settings, ready=lambda: receiver.is_bound)

    run_process("smpp", main, settings, exits={SmppError: EXIT_SETTINGS, OSError: EXIT_TAKEN})
