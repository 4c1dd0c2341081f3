"""Delivers the handset's messages by every way in, and waits for and checks each effect."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.children import run_twoway
from pipeline.cli.demo.outside import HTTP_POST, HTTP_WAYS, SOAP_POST

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.cli.demo.outside import CallbackSender, Gateway
    from pipeline.cli.demo.scene import Scene
    from pipeline.wire.callback import MoCallback

ACKNOWLEDGED: Final = "200: Kafka has acknowledged it"


class Incoming:
    """Delivers the messages of one handset to one number."""

    def __init__(self, *, gateway: Gateway, scene: Scene, handset: str, home: Path) -> None:
        self._gateway = gateway
        self._scene = scene
        self._handset = handset
        self._home = home

    def _callback(self, text: str) -> MoCallback:
        return self._gateway.callback(
            text.encode("iso-8859-1"), charset="ISO-8859-1", at=self._gateway.moment()
        )

    def message(self, text: str, *, way: CallbackSender) -> dict[str, Any]:
        """Deliver a message of one part over HTTP; its row once ClickHouse has it."""
        callback = self._callback(text)
        self._scene.say(f"the gateway delivers {text!r}: {way.words}")
        self._scene.expect(ACKNOWLEDGED, got=self._gateway.call(way, callback).status, wanted=200)
        having = ("mo_msg_ids", callback.mo_msg_id)
        return self._scene.first(
            "mo_message", handset=self._handset, having=having, what=repr(text)
        )

    def message_by_smpp(self, text: str) -> dict[str, Any]:
        """Deliver a message by SMPP, which has neither id nor time; returns its row."""
        callback = self._callback(text)
        self._scene.say(f"the gateway delivers {text!r}: deliver_sm to `twoway smpp`")
        status = self._gateway.deliver_sm(callback)
        self._scene.expect("ESME_ROK: Kafka has acknowledged it", got=status, wanted=0)
        return self._scene.first(
            "mo_message", handset=self._handset, source="smpp", what=repr(text)
        )

    def one_part(self, *, way: CallbackSender) -> None:
        """A message in ISO-8859-1."""
        self._scene.step("A message of one part, in ISO-8859-1")
        row = self.message(said.ENGLISH, way=way)
        words = "its text is in ClickHouse, é and £ included"
        self._scene.expect(words, got=row["text"], wanted=said.ENGLISH)

    def three_parts(self) -> None:
        """Play a long message in UTF-16BE: parts out of order, one twice, by three ways."""
        self._scene.step("A message of three parts, Arabic with an emoji, in UTF-16BE")
        at = self._gateway.moment()
        parts = {
            part.number: self._gateway.callback(
                part.octets, charset="UTF-16BE", at=at, udh=part.udh
            )
            for part in said.arabic_parts(reference=secrets.randbelow(256))
        }
        self._scene.say("part 1 ends between the two halves of the emoji: no XML can hold that")
        ways = [(SOAP_POST, said.BY_SOAP), (HTTP_POST, said.BY_FORM)]
        for way, numbers in ways:
            self._scene.say(f"part {numbers[0]} arrives: {way.words}")
            status = self._gateway.call(way, parts[numbers[0]]).status
            self._scene.expect(ACKNOWLEDGED, got=status, wanted=200)
        self._import(*(parts[number] for number in said.BY_LOG), what="parts 3, again, and 2")
        row = self._scene.first(
            "mo_message",
            handset=self._handset,
            charset="UTF-16BE",
            what="the message of three parts",
        )
        self._scene.expect("its text is whole", got=row["text"], wanted=said.ARABIC)
        ids = [callback.mo_msg_id for _, callback in sorted(parts.items())]
        self._scene.expect("the ids of its parts, in order", got=row["mo_msg_ids"], wanted=ids)
        whole = self._scene.all("mo_message", handset=self._handset, charset="UTF-16BE")
        got = (row["complete"], row["lossy"], len(whole))
        words = "it is one message, complete, and nothing was lost"
        self._scene.expect(words, got=got, wanted=(True, False, 1))

    def every_way(self) -> None:
        """Play one part by every way that gives its id, and check that it has one effect."""
        self._scene.step("One part by HTTP, XML, SOAP and the log: one message")
        callback = self._callback(said.EVERY_WAY)
        self._scene.say(
            f"the gateway delivers {said.EVERY_WAY!r} by {', '.join(w.words for w in HTTP_WAYS)}"
        )
        answers = [self._gateway.call(way, callback).status for way in HTTP_WAYS]
        self._scene.expect("200 for each", got=answers, wanted=[200] * len(HTTP_WAYS))
        self._import(callback, what="the same part")
        self.message(said.AFTER, way=HTTP_POST)  # behind them all in its partition
        rows = self._scene.all("mo_message", handset=self._handset)
        count = [row["text"] for row in rows].count(said.EVERY_WAY)
        self._scene.expect("it is one message, with its &, <, £ and é", got=count, wanted=1)

    def _import(self, *callbacks: MoCallback, what: str) -> None:
        """Append lines to mo.log, and import the whole log, earlier lines included."""
        self._gateway.append_to_log(*callbacks)
        lines = self._gateway.log.read_bytes().count(b"\n")
        self._scene.say(f"mo.log has {what}: twoway import {self._gateway.log.name}")
        printed = run_twoway("import", str(self._gateway.log), home=self._home)
        wanted = f"{lines} lines taken, 0 refused\n"
        self._scene.expect(wanted.rstrip(), got=printed, wanted=wanted)
