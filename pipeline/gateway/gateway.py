"""The stand-in of the gateway: its state, and all its doors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pipeline.gateway.account.account import MT_CREDITS
from pipeline.gateway.account.consent import WINDOW, Belief, Stop
from pipeline.gateway.doors.ftp_server import FtpServer
from pipeline.gateway.doors.http_server import HttpServer
from pipeline.gateway.doors.smpp_server import SmppServer
from pipeline.gateway.doors.smtp_server import SmtpServer
from pipeline.gateway.faults.reading import UnusableFaults, rules_from
from pipeline.gateway.ground import Ground
from pipeline.gateway.pushing.handing_over import HandingOver
from pipeline.gateway.pushing.statuses import Statuses
from pipeline.gateway.taking.desk import Desk
from pipeline.gateway.truth import Truth
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.clock import PipelineClock
    from pipeline.gateway.faults.rules import Fault, Rule
    from pipeline.gateway.settings import GatewaySettings, MoWay
    from pipeline.gateway.world import World


class Door(Protocol):
    """A way in for messages; `port` is known once it listens."""

    port: int

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


FAULTS: Final = "faults.toml"  # under the home
CONFIRMATION: Final = "You will no longer receive messages from the short code {}"  # guide 7.1.1


class Gateway(Ground):
    """Everything that the page, the commands and the tests use."""

    def __init__(
        self, settings: GatewaySettings, world: World, clock: PipelineClock | None = None
    ) -> None:
        super().__init__(settings, world, clock)
        self.desk = Desk(self)
        self.statuses = Statuses(self)
        self.handing_over = HandingOver(self)
        self.http = HttpServer(self)
        self.smtp = SmtpServer(self)
        self.smpp = self._smpp = SmppServer(self)
        self.ftp = ftp = FtpServer(self)
        self._doors: dict[str, Door] = {
            "http": self.http,
            "smpp": self._smpp,
            "smtp": self.smtp,
            "ftp": ftp,
        }

    @property
    def faults(self) -> list[Fault]:
        """Every fault; each has a `switch`."""
        return self.all_faults.all

    async def start(self) -> None:
        """Open every door."""
        self.certificates.make()
        self.all_faults.use(self._rules())
        self.world.listen(Truth(self.settings.home).tell)
        self.schedule.start()
        for door in self._doors.values():
            await door.start()
        host = self.settings.reached_at
        base = f"http://{host}:{self.http.port}"
        self.urls |= {
            "http": f"{base}/http",
            "xml": f"{base}/xml/xml",
            "soap": f"{base}/soap/webservice.php",
        } | {
            name: f"{name}://{host}:{door.port}"
            for name, door in self._doors.items()
            if name != "http"
        }
        self.urls["https"] = f"https://{self.settings.host}:{self.http.tls_port}"
        self.urls["smpps"] = f"smpps://{self.settings.host}:{self._smpp.tls_port}"

    async def stop(self) -> None:
        """Close every door."""
        await self.schedule.stop()
        for door in self._doors.values():
            await door.stop()
        await self.post.close()

    async def text(
        self,
        handset: str,
        number: str,
        text: str,
        charset: str | None = None,
        ways: Sequence[MoWay] = (),
    ) -> list[str]:
        """Send a handset's message, in parts if it is long; return the id of each part.

        Raises `ValueError` for a text that the charset does not hold.
        """
        heard = self.consent.texted(handset, number, text)
        if heard.is_change:
            self.tell_consent(handset, number, f"the handset sent {heard.word or 'a message'}")
        ids = await self.handing_over.text(handset, number, text, charset, ways)
        if heard.stop is not None:
            self._expect_confirmation(handset, heard.word, heard.stop)
        elif text.strip().upper() == "HELP" and (words := self._replies_of(number).get("HELP")):
            self._say(handset, number, words)
        return ids

    def consent_of(self, handset: str) -> dict[str, Belief]:
        """What the gateway assumes, by number; `*` is all, and a missing number is open."""
        return self.consent.of(handset)

    def phones(self) -> list[str]:
        """Every handset that an event is about, in the order of their first events."""
        return list(dict.fromkeys(event.handset for event in self.world.events if event.handset))

    def _rules(self) -> list[Rule]:
        """Those of the file of faults; raises `UnusableFaults`."""
        file = self.settings.faults or self.settings.home / FAULTS
        if self.settings.faults is None and not file.is_file():
            return []
        try:
            return rules_from(file.read_text(), origin=str(file))
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableFaults(f"{file}: {error}") from error

    def _expect_confirmation(self, handset: str, word: str, stop: Stop) -> None:
        replies = self._replies_of(stop.number)
        if word in replies:  # the gateway's own, at once (guide 7.2.1); no text is the default one
            self._end_window(handset, stop, replies[word])
            self.consent.confirmed(handset, self._speaker_for(stop.number))  # of all due there
            return

        async def look() -> None:
            self._end_window(handset, stop, "")

        self.schedule.later(stop.since + WINDOW - self.clock.now(), look)

    def _replies_of(self, number: str) -> Mapping[str, str]:
        return self.settings.replies.get(number, self.settings.custom_replies)

    def _end_window(self, handset: str, stop: Stop, words: str) -> None:
        if not self.consent.overdue(handset, stop):
            return
        if self.consent.holds(handset, stop):
            self._say(handset, stop.number, words or CONFIRMATION.format(stop.number))
        self.tell_consent(handset, stop.number, "the gateway confirmed the stop")

    def _say(self, handset: str, number: str, words: str) -> None:
        """A message of the gateway's own, billed; an MT short code's linked number speaks."""
        self.account.charge(MT_CREDITS, "the gateway's own message")
        self.world.happen(
            EventKind.SHOWN,
            way="gateway",
            handset=handset,
            sender_id=self._speaker_for(number),
            text=words,
            facts={"parts": 1},
        )

    def _speaker_for(self, number: str) -> str:
        """Who sends the gateway's own messages: of an MT short code its linked number (7.1.1)."""
        return self.settings.rented.linked.get(number, number)
