"""The gateway that is played: what it knows, and all its doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock import PipelineClock
from pipeline.gateway.account import Account
from pipeline.gateway.consent import Belief, Consent
from pipeline.gateway.faults import Fault, Faults
from pipeline.gateway.schedule import Schedule

if TYPE_CHECKING:
    from pipeline.gateway.settings import GatewaySettings
    from pipeline.gateway.world import World


class Gateway:
    """Everything that the page, the commands and the tests use."""

    def __init__(self, settings: GatewaySettings, world: World) -> None:
        self.settings = settings
        self.world = world
        self.clock = PipelineClock(settings.home)
        self.schedule = Schedule(self.clock.now)
        self.account = Account(settings, self.clock.now)
        self.consent = Consent((*settings.numbers, *settings.short_codes), self.clock.now)
        self.all_faults = Faults(settings.seed)
        self.urls: dict[str, str] = {}  # by way: http, xml, soap, smpp, smtp, ftp

    @property
    def faults(self) -> list[Fault]:
        """Every fault; each has a `switch`."""
        return self.all_faults.all

    async def start(self) -> None:
        """Open every door."""
        self.schedule.start()

    async def stop(self) -> None:
        """Close every door."""
        await self.schedule.stop()

    async def text(
        self, handset: str, number: str, text: str, charset: str | None = None
    ) -> list[str]:
        """Send what a handset sends: in parts where it is long. The id of each part."""
        raise NotImplementedError

    def consent_of(self, handset: str) -> dict[str, Belief]:
        """What the gateway believes, by number; `*` is all, and what is not there is open."""
        return self.consent.of(handset)

    def phones(self) -> list[str]:
        """Every handset that an event is about, in the order of their first."""
        return list(dict.fromkeys(event.handset for event in self.world.events if event.handset))
