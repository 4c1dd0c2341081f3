"""The ingest process: connects HTTP server, publisher and status index."""

from __future__ import annotations

import gc
import logging
import resource
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingest.http.about import about
from ingest.http.access_log import AccessLog
from ingest.http.callbacks import Callbacks
from ingest.http.capacity import Capacity
from ingest.http.limits import CONNECTIONS, Limits
from ingest.http.metrics import Metrics
from ingest.http.mt.requests import MtRequests
from ingest.http.mt.status import StatusIndex
from ingest.http.mt.tail import Tail
from ingest.http.routes import Service
from ingest.http.server import CannotListen, Server
from ingest.publish.publisher import BATCH_OCTETS, KafkaPublisher
from pipeline.clock import PipelineClock
from pipeline.home.stack import bootstrap_of
from pipeline.process.log_ids import LoggedId
from pipeline.web.access import Access, AccessError
from pipeline.web.daemon import EXIT_SETTINGS, EXIT_TAKEN, run_process, run_until_signalled

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ingest.publish.publisher import Publisher
    from pipeline.settings import Settings

log = logging.getLogger("twoway.ingest")

PATIENCE_SECONDS: Final = 4.0
GARBAGE_THRESHOLDS: Final = (20_000, 50, 100)  # requests make no cycles, so collect rarely
FILES_OF_OUR_OWN: Final = 64


class Ingest:
    """The parts of one ingest process; tests use another publisher."""

    def __init__(
        self,
        settings: Settings,
        *,
        publisher: Publisher | None = None,
        bootstrap: Callable[[], str] | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        self.settings = settings
        self.access = Access(settings)
        self.tls = server_tls_from_settings(settings)
        self.limits = limits_from_settings(settings)
        self.metrics = Metrics()
        self.index = StatusIndex()
        self.access_log = access_log or AccessLog(form=settings.log_format)
        find = bootstrap or (lambda: bootstrap_of(settings))
        self.tail = Tail(self.index, find)
        self.publisher = publisher or KafkaPublisher(
            find, timeout_seconds=settings.acknowledge_timeout_ms / 1000
        )
        clock = PipelineClock(None if settings.kafka else settings.home)
        self.service = Service(
            access=self.access,
            callbacks=Callbacks(
                publisher=self.publisher,
                now=clock.now,
                metrics=self.metrics,
                fates=self.index.fates,
                knows_all=lambda: self.tail.is_caught_up,
            ),
            requests=MtRequests(publisher=self.publisher, index=self.index, now=clock.now),
            index=self.index,
            tail=self.tail,
            publisher=self.publisher,
            metrics=self.metrics,
            access_log=self.access_log,
            on_failure=_log_failure,
        )

    async def start(self) -> int:
        """Listen at once, and connect to Kafka in the background; returns the port."""
        self.capacity = capacity = Capacity(self.limits)
        self.server = Server(self.service, capacity)
        self.metrics.in_flight.set_function(lambda: capacity.in_flight)
        self.metrics.connections.set_function(lambda: capacity.connections)
        self.metrics.status_ids.set_function(lambda: len(self.index))
        self.metrics.reachable.set_function(lambda: self.publisher.is_reachable)
        self.publisher.start()
        self.tail.start()
        return await self.server.start(
            host=self.settings.http_host, port=self.settings.http_port, tls=self.tls
        )

    async def run(self, ended: asyncio.Event) -> None:
        """Serve until `ended`; raises `CannotListen`."""
        port = await self.start()
        scheme = "https" if self.tls else "http"
        log.info("listening on %s://%s:%d", scheme, self.settings.http_host, port)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        await ended.wait()
        log.info("ending: answering what is under way")
        await self.stop()

    async def stop(self) -> None:
        """Answer requests in progress, let Kafka acknowledge everything, then end."""
        await self.server.stop(patience_seconds=PATIENCE_SECONDS)
        await self.tail.stop()
        await self.publisher.stop()
        self.access_log.flush()


def limits_from_settings(settings: Settings) -> Limits:
    """The limits, with as many connections as the system has file descriptors for.

    Raises `AccessError` if a body could not fit into a batch.
    """
    if settings.body_limit_bytes > BATCH_OCTETS // 2:
        raise AccessError(f"body_limit_bytes must not exceed {BATCH_OCTETS // 2}")
    wanted = CONNECTIONS + FILES_OF_OUR_OWN
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (allowed, most):
        wanted = min(wanted, most)
    if allowed != resource.RLIM_INFINITY and allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return Limits(body_octets=settings.body_limit_bytes, connections=wanted - FILES_OF_OUR_OWN)


def server_tls_from_settings(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or later when a certificate and its key are set; raises `AccessError`."""
    if not settings.tls_cert and not settings.tls_key:
        return None
    if not settings.tls_cert or not settings.tls_key:
        raise AccessError("tls_cert and tls_key belong together: set both or neither")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(Path(settings.tls_cert), Path(settings.tls_key))
    except (OSError, ssl.SSLError) as error:
        raise AccessError(f"tls_cert, tls_key: {error}") from error
    return context


def _log_failure(error: Exception) -> None:
    log.error("a request met a defect, id %s", LoggedId(about()), exc_info=error)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; exits with 2 for wrong settings, 1 for a taken port."""

    async def main() -> None:
        await run_until_signalled(Ingest(settings).run, settings)

    run_process(
        "ingest", main, settings, exits={AccessError: EXIT_SETTINGS, CannotListen: EXIT_TAKEN}
    )
