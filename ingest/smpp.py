"""The SMPP receiver process: binds to the gateway, and again whenever the bind ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import signal
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop

from ingest import smpp_metrics as metrics
from ingest.producer import KafkaPublisher
from ingest.smpp_deliveries import Deliveries
from ingest.smpp_session import Broken, Refused, Session
from pipeline.clock import PipelineClock
from pipeline.metrics_server import serve_metrics
from pipeline.stack import bootstrap_of
from pipeline.wire import smpp_bind
from pipeline.wire.smpp_bind import Bind
from pipeline.wire.smpp_callback import ALPHABETS
from pipeline.wire.smpp_pdu import Command

if TYPE_CHECKING:
    from ingest.producer import Publisher
    from pipeline.settings import Settings

log = logging.getLogger("twoway.smpp")

EXIT_SETTINGS: Final = 2
EXIT_REFUSED: Final = 3
CONNECT_SECONDS: Final = 10.0
BACKOFF_SECONDS: Final = (0.5, 30.0)
#: Below the ten in a row after which the gateway blocks the address for a minute.
REFUSALS: Final = 5
#: ESME_RBINDFAIL, RINVPASWD, RINVSYSID, RINVSYSTYP (SMPP 3.4 5.1.3): trying again changes nothing.
_FINAL: Final = frozenset({0x0D, 0x0E, 0x0F, 0x53})
_COMMANDS: Final = {
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
_TLS: Final = ("on", "off", "plain")


class SmppError(ValueError):
    """The settings cannot be used; the words say which and why, and hold no secret."""


class Receiver:
    """Keeps one bind up; tests put another publisher in."""

    def __init__(self, settings: Settings, *, publisher: Publisher | None = None) -> None:
        self._settings = settings
        self._command, self._bind = bind_from_settings(settings)
        self._tls = tls_from_settings(settings)
        self._publisher = publisher or KafkaPublisher(
            lambda: bootstrap_of(settings), timeout_seconds=settings.acknowledge_timeout_ms / 1000
        )
        self._now = PipelineClock(settings.home).now
        self._refusals = 0
        self.is_bound = False

    async def run(self, ended: asyncio.Event) -> None:
        """Until `ended`; raises `Refused` once the gateway refused too often in a row."""
        if isinstance(self._publisher, KafkaPublisher):
            self._publisher.start()
        backoff, longest = BACKOFF_SECONDS
        ending = asyncio.create_task(ended.wait())
        try:
            while not ended.is_set():
                if await self._bind_once(ending):
                    backoff = BACKOFF_SECONDS[0]
                await asyncio.wait([ending], timeout=random.uniform(backoff / 2, backoff))  # noqa: S311 - jitter
                backoff = min(2 * backoff, longest)
        finally:
            ending.cancel()
            if isinstance(self._publisher, KafkaPublisher):
                await self._publisher.stop()

    async def _bind_once(self, ending: asyncio.Task[bool]) -> bool:
        """Bind and receive until that ends; whether it was bound."""
        where = f"{self._settings.smpp_host}:{self._settings.smpp_port}"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    self._settings.smpp_host, self._settings.smpp_port, ssl=self._tls
                )
        except (OSError, TimeoutError) as error:
            metrics.BINDS.labels("unreachable").inc()
            log.warning("%s cannot be reached: %s", where, error or "no answer")
            return False
        session = Session(
            reader,
            writer,
            deliveries=Deliveries(
                publisher=self._publisher,
                now=self._now,
                alphabet=self._settings.smpp_default_alphabet,
            ),
            window=self._settings.smpp_window,
            enquire_seconds=self._settings.smpp_enquire_seconds,
        )
        try:
            return await self._use(session, ending, where)
        finally:
            await session.close()

    async def _use(self, session: Session, ending: asyncio.Task[bool], where: str) -> bool:
        try:
            await session.bind(self._command, self._bind)
        except Refused as refused:
            metrics.BINDS.labels("refused").inc()
            log.error("%s: %s", where, refused)
            self._refusals += refused.status in _FINAL
            if self._refusals >= REFUSALS:
                raise
            return False
        except (OSError, TimeoutError, Broken) as error:
            metrics.BINDS.labels("failed").inc()
            log.warning("%s: the bind was not answered: %s", where, error or "in time")
            return False
        metrics.BINDS.labels("bound").inc()
        log.info("bound to %s as %s", where, self._settings.smpp_bind)
        self._refusals = 0
        self._say(bound=True)
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
            self._say(bound=False)
        return True

    def _say(self, *, bound: bool) -> None:
        self.is_bound = bound
        metrics.BOUND.set(bound)


def bind_from_settings(settings: Settings) -> tuple[Command, Bind]:
    """How and with what to bind; raises `SmppError`."""
    command = _COMMANDS.get(settings.smpp_bind)
    if command is None:
        raise SmppError(f"smpp_bind must be one of {', '.join(_COMMANDS)}")
    if settings.smpp_default_alphabet not in ALPHABETS:
        raise SmppError(f"smpp_default_alphabet must be one of {', '.join(ALPHABETS)}")
    if not settings.smpp_host or not settings.smpp_system_id:
        raise SmppError("smpp_host and smpp_system_id must be set")
    if settings.smpp_window < 1 or settings.smpp_enquire_seconds <= 0:
        raise SmppError("smpp_window and smpp_enquire_seconds must be above 0")
    bind = Bind(
        system_id=settings.smpp_system_id,
        password=settings.smpp_password,
        system_type=settings.smpp_system_type,
    )
    if fault := smpp_bind.fault_of(bind):
        raise SmppError(f"smpp_{fault}")
    return command, bind


def tls_from_settings(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or later, names checked; raises `SmppError` for plain octets over a network."""
    if settings.smpp_tls not in _TLS:
        raise SmppError(f"smpp_tls must be one of {', '.join(_TLS)}")
    if settings.smpp_tls == "on":
        try:
            context = ssl.create_default_context(
                cafile=str(Path(settings.smpp_ca)) if settings.smpp_ca else None
            )
        except (OSError, ssl.SSLError) as error:
            raise SmppError(f"smpp_ca: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    if settings.smpp_tls == "off" and not _is_loopback(settings.smpp_host):
        raise SmppError(
            "smpp_tls = off binds to loopback only: the password would cross the network as it is"
            " (smpp_tls = plain does so all the same)"
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _serve(receiver: Receiver, settings: Settings) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    serving = None
    if settings.metrics_port:
        serving = asyncio.create_task(
            serve_metrics(
                host=settings.metrics_host,
                port=settings.metrics_port,
                ready=lambda: receiver.is_bound,
            )
        )
    try:
        await receiver.run(ended)
    finally:
        if serving is not None:
            serving.cancel()
            await asyncio.wait([serving])


def run(settings: Settings) -> None:
    """Receive until SIGTERM or SIGINT; exits with 2 for wrong settings, 3 for a refused bind."""
    level = logging.getLevelName(settings.log_level.upper())
    logging.basicConfig(
        stream=sys.stderr, level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("aiokafka").setLevel("CRITICAL")  # the publisher says once that Kafka is away

    async def main() -> None:
        await _serve(Receiver(settings), settings)

    try:
        uvloop.run(main())
    except SmppError as error:
        print(f"twoway smpp: {error}", file=sys.stderr)
        raise SystemExit(EXIT_SETTINGS) from error
    except Refused as error:
        print(f"twoway smpp: {error}, {REFUSALS} times in a row: see smpp_*", file=sys.stderr)
        raise SystemExit(EXIT_REFUSED) from error
