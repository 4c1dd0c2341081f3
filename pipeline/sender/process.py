"""`twoway sender`: sends what the worker permits, by the APIs of `apis.toml`."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pipeline.clock import PipelineClock
from pipeline.home.stack import bootstrap_of
from pipeline.sender.apis import UnusableApi
from pipeline.sender.apis_file import ApisError, apis_file, apis_from_file, default_of
from pipeline.sender.consumer import feed
from pipeline.sender.desk import Desk
from pipeline.sender.post import KafkaPost
from pipeline.sender.sender import CommandSender
from pipeline.sender.ways.make import way_of
from pipeline.web.daemon import EXIT_SETTINGS, run_process, run_until_signalled

if TYPE_CHECKING:
    from pipeline.sender.apis import Api
    from pipeline.settings import Settings

log = logging.getLogger("twoway.sender")


class SenderProcess:
    """The APIs, what sends by them, and what feeds it."""

    def __init__(self, settings: Settings, apis: list[Api]) -> None:
        self._settings = settings
        bootstrap = bootstrap_of(settings)
        self._bootstrap = bootstrap
        self._post = KafkaPost(bootstrap)
        self._desks = {api.api_id: Desk(api, way_of(api), window=api.window) for api in apis}
        self._is_fed = False
        self.sender = CommandSender(
            self._desks,
            default=default_of(apis),
            post=self._post,
            now=PipelineClock(None if settings.kafka else settings.home).now,
        )

    @property
    def is_ready(self) -> bool:
        """Whether it reads, and Kafka takes what it writes."""
        return self._is_fed and self._post.is_reachable

    async def run(self, ended: asyncio.Event) -> None:
        """Send until `ended`, then end what is under way."""
        serving = asyncio.create_task(self.sender.run())
        feeding = asyncio.create_task(feed(self.sender, self._bootstrap, ended=ended))
        self._is_fed = True
        try:
            await asyncio.wait([serving, feeding], return_when=asyncio.FIRST_COMPLETED)
            ended.set()
            await feeding
            if serving.done():
                serving.result()
        finally:
            self._is_fed = False
            serving.cancel()
            await asyncio.wait([serving])
            for desk in self._desks.values():
                await desk.way.close()
            await self._post.stop()


def run(settings: Settings) -> None:
    """Send until SIGTERM or SIGINT; exits with 2 for wrong settings."""

    async def main() -> None:
        process = SenderProcess(settings, apis_from_file(apis_file(settings)))
        await run_until_signalled(process.run, settings, ready=lambda: process.is_ready)

    exits: dict[type[Exception], int] = {ApisError: EXIT_SETTINGS, UnusableApi: EXIT_SETTINGS}
    run_process("sender", main, settings, exits=exits)
