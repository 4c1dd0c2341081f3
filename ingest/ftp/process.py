"""The poller of mo.log: fetches appended lines by FTP, again and again (G8.3.2)."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Final

from ingest.common.process import kafka_answers
from ingest.ftp import metrics
from ingest.ftp.checkpoint import Checkpoint, CheckpointFile, DiskTrouble
from ingest.ftp.followed import Logs
from ingest.ftp.follower import Follower
from ingest.ftp.settings import FtpError, check_settings, server_from_settings
from ingest.publish.publisher import KafkaPublisher
from pipeline.avro.single_object import encode
from pipeline.clock import PipelineClock
from pipeline.home.lock import FolderTaken
from pipeline.home.stack import bootstrap_of
from pipeline.peer.ftp.trouble import LoginRefused, Trouble
from pipeline.process.backoff import Backoff, spread
from pipeline.web.daemon import EXIT_SETTINGS, EXIT_TAKEN, run_process, run_until_signalled

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ingest.common.log_lines import LogRecord
    from ingest.publish.publisher import Publisher
    from pipeline.settings import Settings

log = logging.getLogger("twoway.ftp")

KAFKA_SECONDS: Final = 0.1
BACKOFF_SECONDS: Final = (1.0, 60.0)
#: Servers lock an account after some wrong passwords within some minutes. So after two tries the
#: poller tries once an hour, in case the password is corrected on the server.
REFUSED_SECONDS: Final = (60.0, 300.0, 3600.0)


class Poller:
    """Polls one log; tests use another publisher."""

    def __init__(self, settings: Settings, *, publisher: Publisher | None = None) -> None:
        check_settings(settings)
        self._settings = settings
        self._server = server_from_settings(settings)
        self._publisher = publisher or KafkaPublisher(
            lambda: bootstrap_of(settings), timeout_seconds=settings.acknowledge_timeout_ms / 1000
        )
        self._now = PipelineClock(settings.home).now
        self._refusals = 0
        self._said = ""
        self.has_read_all = False

    async def run(self, ended: asyncio.Event) -> None:
        """Poll until `ended`; raises `FolderTaken` if another poller uses this home."""
        file = CheckpointFile(self._settings.home)
        self._publisher.start()
        ending = asyncio.create_task(ended.wait())
        try:
            follower = self._follower(file)
            backoff = Backoff(*BACKOFF_SECONDS)
            while await self._may_poll(ending):
                if await self._poll_once(follower, ending):
                    backoff.succeeded()
                    wait = self._settings.ftp_poll_seconds
                else:
                    wait = self._wait_after_trouble(backoff.failed())
                await asyncio.wait([ending], timeout=wait)
        finally:
            ending.cancel()
            await self._publisher.stop()
            file.close()

    def _follower(self, file: CheckpointFile) -> Follower:
        settings = self._settings
        where = f"{settings.ftp_host}:{settings.ftp_port}/{settings.ftp_path}"
        checkpoint = file.read() or Checkpoint(log=where)
        loop = asyncio.get_running_loop()

        def publish(records: list[LogRecord]) -> Future[bool]:
            encoded = [(each.topic, each.key, encode(each.record)) for each in records]
            return asyncio.run_coroutine_threadsafe(self._publish(encoded), loop)

        logs = Logs(checkpoint, write=file.write)
        return Follower(self._server.name, logs, where=where, publish=publish, now=self._now)

    async def _publish(self, records: list[tuple[str, bytes | None, bytes]]) -> bool:
        """Publish records; whether Kafka has acknowledged all of them."""
        answers = {
            self._publisher.publish(topic, key=key, value=value) for topic, key, value in records
        }
        return all(await asyncio.gather(*answers))

    async def _may_poll(self, ending: asyncio.Task[bool]) -> bool:
        """Wait until Kafka answers (True) or `ending` is done (False)."""
        if not self._publisher.is_reachable:
            metrics.UP.set(0)
            log.info("polling once Kafka answers")
        return await kafka_answers(self._publisher, ending, every_seconds=KAFKA_SECONDS)

    async def _poll_once(self, follower: Follower, ending: asyncio.Task[bool]) -> bool:
        """Poll once; whether all new lines were read."""
        polling = asyncio.create_task(asyncio.to_thread(self._poll, follower))
        await asyncio.wait([polling, ending], return_when=asyncio.FIRST_COMPLETED)
        while not polling.done():
            self._server.abort()
            await asyncio.wait([polling], timeout=KAFKA_SECONDS)
        try:
            polling.result()
        except (Trouble, DiskTrouble) as trouble:
            if not ending.done():
                self._take_trouble(trouble)
            return False
        except Exception as error:  # a defect that a server's words met must not end the poller
            if not ending.done():
                log.error("a poll met a defect", exc_info=error)
                self._take_trouble(Trouble("broken", "a defect, see above"))
            return False
        self._refusals = 0
        self._set(has_read_all=True)
        metrics.LAST_SUCCESS.set_to_current_time()
        if self._said:
            log.info("the log is read again")
        self._said = ""
        return True

    def _poll(self, follower: Follower) -> None:
        with self._server.connected() as files:
            self._refusals = 0
            follower.poll(files)

    def _take_trouble(self, trouble: Trouble | DiskTrouble) -> None:
        """Count the trouble, and log it if it differs from the last."""
        kind = trouble.kind if isinstance(trouble, Trouble) else "disk"
        metrics.ERRORS.labels(kind).inc()
        self._set(has_read_all=False)
        self._refusals += isinstance(trouble, LoginRefused)
        said = f"{kind}: {trouble}"
        if said != self._said:
            log.error("%s:%d: %s", self._settings.ftp_host, self._settings.ftp_port, said)
        self._said = said

    def _wait_after_trouble(self, backoff: float) -> float:
        if self._refusals:
            longest = REFUSED_SECONDS[min(self._refusals, len(REFUSED_SECONDS)) - 1]
            return random.uniform(longest, 1.2 * longest)  # noqa: S311 - jitter
        return spread(backoff)

    def _set(self, *, has_read_all: bool) -> None:
        self.has_read_all = has_read_all
        metrics.UP.set(has_read_all)


def run(settings: Settings) -> None:
    """Poll until SIGTERM or SIGINT.

    Exits with 2 for wrong settings, and with 1 if another poller uses the home or the port of
    /metrics is taken.
    """

    async def main() -> None:
        poller = Poller(settings)
        await run_until_signalled(poller.run, settings, ready=lambda: poller.has_read_all)

    exits = {FtpError: EXIT_SETTINGS, FolderTaken: EXIT_TAKEN, OSError: EXIT_TAKEN}
    run_process("ftp", main, settings, exits=exits)
