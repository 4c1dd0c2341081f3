"""What all parts of the stand-in share, and how they reach each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.clock import PipelineClock
from pipeline.gateway.account.account import Account
from pipeline.gateway.account.consent import Consent
from pipeline.gateway.certificates import Certificates
from pipeline.gateway.faults.rules import Faults
from pipeline.gateway.messages import Messages
from pipeline.gateway.post import Post
from pipeline.gateway.schedule import Schedule
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.gateway.faults.kinds import Group
    from pipeline.gateway.faults.rules import Rule
    from pipeline.gateway.messages import Message, Result
    from pipeline.gateway.settings import GatewaySettings, MoWay
    from pipeline.gateway.world import World
    from pipeline.wire.callback import MoCallback


class _Desk(Protocol):
    def send(
        self, way: str, api_id: str, given: Mapping[str, str], *, received: bytes
    ) -> list[Result]: ...


class _Statuses(Protocol):
    def begin(self, message: Message) -> None: ...
    def cancel(self, message: Message) -> None: ...


class _Smpp(Protocol):
    async def deliver(self, callback: MoCallback) -> tuple[int, bytes, bytes]: ...
    async def receipt(self, message: Message, status: str) -> None: ...


class _Ftp(Protocol):
    def append(self, line: bytes) -> None: ...


class Ground:
    """The account, the clock, the messages; the desk and the doors come with `Gateway`."""

    desk: _Desk
    statuses: _Statuses
    smpp: _Smpp
    ftp: _Ftp

    def __init__(
        self, settings: GatewaySettings, world: World, clock: PipelineClock | None = None
    ) -> None:
        self.settings = settings
        self.world = world
        self.clock = clock or PipelineClock(settings.home)
        self.schedule = Schedule(self.clock.now)
        self.account = Account(settings, self.clock.now)
        self.consent = Consent(settings.rented, self.clock.now)
        self.all_faults = Faults(settings.seed)
        self.messages = Messages()
        self.post = Post()
        names = ("localhost", "127.0.0.1", "::1", settings.host, *settings.host_names)
        self.certificates = Certificates(settings.home, names)
        self.urls: dict[str, str] = {}  # by way: http, xml, soap, smpp, smtp, ftp

    async def text(
        self,
        handset: str,
        number: str,
        text: str,
        charset: str | None = None,
        ways: Sequence[MoWay] = (),
    ) -> list[str]:
        """Send what a handset sends."""
        raise NotImplementedError

    def meet(self, group: Group, way: str, handset: str) -> Rule | None:
        """The fault of a group that is to be played now; the world hears of it."""
        rule = self.all_faults.met(group, way, handset)
        if rule is not None:
            self.tell_fault(rule, way, handset)
        return rule

    def meets_wrong_certificate(self, way: str) -> bool:
        """Whether TLS is to begin with the wrong certificate; asked once a connection."""
        rule = self.all_faults.met_on_connection(way)
        if rule is not None:
            self.tell_fault(rule, way)
        return rule is not None

    def tell_fault(self, rule: Rule, way: str, handset: str = "") -> None:
        """A fault is played."""
        self.world.happen(EventKind.FAULT, way=way, handset=handset, facts={"fault": rule.name})

    def show(self, message: Message) -> None:
        """The handset shows a message."""
        self.world.happen(
            EventKind.SHOWN,
            way=message.way,
            handset=message.handset,
            sender_id=message.sender_id,
            text=message.text,
            message_id=message.message_id,
            client_id=message.client_id,
            facts={"parts": message.parts},
        )

    def tell_consent(self, handset: str, number: str, why: str) -> None:
        """Note that the gateway's belief about a handset changed."""
        beliefs = {scope: belief.value for scope, belief in self.consent.of(handset).items()}
        self.world.happen(
            EventKind.CONSENT,
            handset=handset,
            sender_id=number,
            facts={"why": why, "states": beliefs},
        )
