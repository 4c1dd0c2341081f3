"""`twoway sender`: sends what the worker permits, by the APIs of `apis.toml`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from pipeline.clock import PipelineClock
from pipeline.home.stack import bootstrap_of
from pipeline.process import troubles
from pipeline.process.stop import stop_loudly
from pipeline.sender.apis.api import UnusableApi
from pipeline.sender.apis.file import ApisError, apis_file, apis_from_file, default_of
from pipeline.sender.calls.desk import Desk
from pipeline.sender.consumer import feed
from pipeline.sender.notices.mail import NoticeSettingsError, mail_route
from pipeline.sender.notices.reader import read_notices
from pipeline.sender.post import KafkaPost
from pipeline.sender.sender import CommandSender
from pipeline.sender.ways.make import way_of
from pipeline.web.daemon import EXIT_SETTINGS, EXIT_TAKEN, run_process, run_until_signalled

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pipeline.sender.apis.api import Api
    from pipeline.settings import Settings

log = logging.getLogger("twoway.sender")

CLOSE_SECONDS: Final = 5.0


class SenderProcess:
    """The sender with its APIs, and the consumer that feeds it."""

    def __init__(self, settings: Settings, apis: list[Api]) -> None:
        self._settings = settings
        bootstrap = bootstrap_of(settings)
        self._bootstrap = bootstrap
        self._post = KafkaPost(bootstrap)
        self._desks = {api.api_id: Desk(api, way_of(api), window=api.window) for api in apis}
        self._notified = mail_route(settings)
        self._is_fed = False
        self._waits_for: dict[int, str] = {}  # by partition
        self.sender = CommandSender(
            self._desks,
            default=default_of(apis),
            post=self._post,
            now=PipelineClock(None if settings.kafka else settings.home).now,
        )

    @property
    def is_ready(self) -> bool:
        """Whether the process reads from Kafka, Kafka takes its writes, and no partition waits."""
        return self._is_fed and self._post.is_reachable and not self._waits_for

    @property
    def why(self) -> str:
        """Why partitions wait for an operator, a line each."""
        return troubles.lines_of_waiting(self._waits_for)

    async def run(self, ended: asyncio.Event) -> None:
        """Send until `ended`, then let the calls under way end; a defect stops the process.

        A failure of Kafka or of the gateway is no defect: it is tried again.
        """
        serving = asyncio.create_task(self.sender.run())
        feeding = asyncio.create_task(
            feed(
                self.sender,
                self._bootstrap,
                ended=ended,
                reads=self._reads,
                waits_for=self._waits_for,
            )
        )
        telling = asyncio.create_task(read_notices(self._bootstrap, self._notified))
        await asyncio.wait([serving, feeding], return_when=asyncio.FIRST_COMPLETED)
        ended.set()
        await asyncio.wait([feeding])
        serving.cancel()
        telling.cancel()
        await asyncio.wait([serving, telling])
        for desk in self._desks.values():
            await _closed(f"API {desk.api.api_id}", desk.way.close())
        await _closed("Kafka's producer", self._post.stop())
        if feeding.cancelled():
            stop_loudly("sending met a defect", asyncio.CancelledError("nobody asked for it"))
        for task in (serving, feeding):
            if not task.cancelled() and (error := task.exception()) is not None:
                stop_loudly("sending met a defect", first_of(error))

    def _reads(self, is_fed: bool) -> None:
        self._is_fed = is_fed


async def _closed(what: str, closing: Coroutine[None, None, None]) -> None:
    """Close a resource at the end of the process; a failure is only logged."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await closing
    except Exception as error:
        log.warning("%s was not closed well: %s", what, type(error).__name__)


def first_of(error: BaseException) -> BaseException:
    """The first exception in a group, at any depth; an error that is no group is returned."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def run(settings: Settings) -> None:
    """Send until SIGTERM or SIGINT.

    Exits with 2 for wrong settings, 1 for a taken port, 70 after a defect.
    """
    troubles.tell_in(settings.home, "sender")

    async def main() -> None:
        process = SenderProcess(settings, apis_from_file(apis_file(settings)))
        await run_until_signalled(
            process.run, settings, ready=lambda: process.is_ready, why=lambda: process.why
        )

    exits: dict[type[Exception], int] = {
        ApisError: EXIT_SETTINGS,
        NoticeSettingsError: EXIT_SETTINGS,
        UnusableApi: EXIT_SETTINGS,
        OSError: EXIT_TAKEN,
    }
    run_process("sender", main, settings, exits=exits)
