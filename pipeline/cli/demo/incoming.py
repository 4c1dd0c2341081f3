"""The handset's messages, by every way in: each is handed over, and each effect checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.children import run_twoway
from pipeline.cli.demo.scene import EFFECT_SECONDS
from pipeline.gateway.doors.ftp_server import FOLDER, MO_LOG
from pipeline.gateway.settings import MoWay
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.cli.demo.scene import Scene
    from pipeline.cli.demo.stand_in import Phone, Switches

#: Those that give a part its id; SMPP has none.
WITH_ID: Final = (
    MoWay.HTTP_GET,
    MoWay.HTTP_POST,
    MoWay.XML_GET,
    MoWay.XML_POST,
    MoWay.SOAP_GET,
    MoWay.SOAP_POST,
    MoWay.FTP,
)
LONG_BY: Final = (MoWay.SOAP_POST, MoWay.HTTP_POST, MoWay.FTP)


class Incoming:
    """The messages of one handset to one number."""

    def __init__(self, *, phone: Phone, switches: Switches, scene: Scene, home: Path) -> None:
        self._phone = phone
        self._switches = switches
        self._scene = scene
        self._home = home
        self._log = home / FOLDER / MO_LOG

    def message(self, text: str, *ways: MoWay) -> dict[str, Any]:
        """Text it; its row once ClickHouse has it."""
        ids = self._texted(text, ways)
        having = ("mo_msg_ids", ids[0])
        handset = self._phone.handset
        return self._scene.first("mo_message", handset=handset, having=having, what=repr(text))

    def message_by_smpp(self, text: str) -> dict[str, Any]:
        """Text it by SMPP, which has neither id nor time; its row."""
        self._texted(text, (MoWay.SMPP,))
        return self._scene.first(
            "mo_message", handset=self._phone.handset, source="smpp", what=repr(text)
        )

    def _texted(self, text: str, ways: Sequence[MoWay]) -> list[str]:
        names = ", ".join(way.value for way in ways)
        self._scene.say(f"{self._phone.handset} texts {text!r}: by {names}")
        before = len(self._phone.events(EventKind.HANDED_OVER))
        ids = self._phone.texts(text, ways)
        told = self._phone.events(EventKind.HANDED_OVER)[before:]
        taken = [str(each["state"]).startswith("taken") for each in told]
        words = "the product answered each part once Kafka had it"
        self._scene.expect(words, got=taken, wanted=[True] * len(ids) * len(ways))
        return ids

    def one_part(self) -> None:
        """A message in ISO-8859-1."""
        self._scene.step("A message of one part, in ISO-8859-1")
        row = self.message(said.ENGLISH, MoWay.HTTP_GET)
        words = "its text is in ClickHouse, é and £ included"
        self._scene.expect(words, got=row["text"], wanted=said.ENGLISH)

    def three_parts(self) -> None:
        """A long message in UTF-16BE: its parts out of order, and each by three ways."""
        self._scene.step("A message of three parts, Arabic with an emoji, in UTF-16BE")
        self._scene.say("the gateway hands over the last part first, and each part by three ways")
        with self._switches.turned_on("mo-disorder"):
            ids = self._texted(said.ARABIC, LONG_BY)
        row = self._scene.first(
            "mo_message",
            handset=self._phone.handset,
            charset="UTF-16BE",
            what="the message of three parts",
        )
        self._scene.expect("its text is whole", got=row["text"], wanted=said.ARABIC)
        self._scene.expect("the ids of its parts, in order", got=row["mo_msg_ids"], wanted=ids)
        self._until_fetched(3)
        whole = self._scene.all("mo_message", handset=self._phone.handset, charset="UTF-16BE")
        got = (row["complete"], row["lossy"], len(ids), len(whole))
        words = "it is one message of three parts, complete, and nothing was lost"
        self._scene.expect(words, got=got, wanted=(True, False, 3, 1))

    def every_way(self) -> None:
        """One part by every way that gives its id has one effect; so has a log read again."""
        self._scene.step("One part by HTTP, XML, SOAP and mo.log over FTP: one message")
        self._texted(said.EVERY_WAY, WITH_ID)
        self._until_fetched(4)
        lines = self._log.read_bytes().count(b"\n")
        self._scene.say(f"the whole log once more: twoway import {self._log.name}")
        printed = run_twoway("import", str(self._log), home=self._home)
        wanted = f"{lines} lines taken, 0 refused\n"
        self._scene.expect(wanted.rstrip(), got=printed, wanted=wanted)
        self.message(said.AFTER, MoWay.XML_POST)  # behind them all in its partition
        rows = self._scene.all("mo_message", handset=self._phone.handset)
        count = [row["text"] for row in rows].count(said.EVERY_WAY)
        self._scene.expect("it is one message, with its &, <, £ and é", got=count, wanted=1)

    def _until_fetched(self, count: int) -> None:
        """Wait until `twoway ftp` has fetched so many lines of this handset."""

        def fetched() -> bool | None:
            rows = self._scene.all("mo_raw", handset=self._phone.handset, source="ftp")
            return len(rows) >= count or None

        wait_for(fetched, seconds=EFFECT_SECONDS, failure=f"{count} lines were not fetched")

    def help(self) -> None:
        """HELP: the number's custom reply answers it, and consent does not change."""
        self._scene.step("HELP, which a custom reply of the number answers")
        row = self.message(said.HELP_TEXT, MoWay.XML_GET)
        self._scene.expect("it reaches the application", got=row["text"], wanted=said.HELP_TEXT)
        answer = self._scene.first(
            "mt_command", handset=self._phone.handset, purpose="help", what="the answer to HELP"
        )
        words = "the custom reply of the number directory goes out"
        self._scene.expect(words, got=answer["text"], wanted=said.HELP_REPLY)
        shown = self._phone.shows(said.HELP_REPLY)
        self._scene.expect("the handset shows it", got=shown["other"], wanted=said.DEMO_NUMBER)
        changes = self._scene.all("consent_change", handset=self._phone.handset)
        self._scene.expect("it changes no consent", got=len(changes), wanted=0)
