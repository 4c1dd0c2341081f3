"""Plays the conversation step by step, and waits for and checks each effect."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.incoming import Incoming
from pipeline.cli.demo.outside import HTTP_GET, SOAP_GET, XML_GET, Application, Gateway
from pipeline.cli.demo.scene import EFFECT_SECONDS
from pipeline.cli.operate.advance import advance_clock

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.cli.demo.scene import Scene
    from pipeline.cli.demo.smsc import Smsc
    from pipeline.clock import PipelineClock
    from pipeline.home.stack import Stack

SIX_HOURS: Final = timedelta(hours=6)


class Play:
    """One handset's conversation with one number."""

    def __init__(
        self, *, stack: Stack, smsc: Smsc, home: Path, clock: PipelineClock, scene: Scene
    ) -> None:
        self._stack = stack
        self._clock = clock
        self._scene = scene
        self.handset = self._fresh_handset()
        gateway = Gateway(
            ingest=stack.ingest, smsc=smsc, home=home, clock=clock, handset=self.handset
        )
        self._incoming = Incoming(gateway=gateway, scene=scene, handset=self.handset, home=home)
        self._application = Application(ingest=stack.ingest, handset=self.handset)

    def run(self) -> None:
        """Play all steps; raises `CommandError` at the first effect that is wrong."""
        self._incoming.one_part(way=HTTP_GET)
        self._incoming.three_parts()
        self._incoming.every_way()
        self.help()
        self.reply_that_goes_out(said.REPLY)
        stop = self.stop()
        self.reply_that_is_refused(stop)
        self.confirmation()
        self.re_enable()
        self.reply_that_goes_out(said.LAST_REPLY)

    def _fresh_handset(self) -> str:
        """The next handset after the last one used in this home."""
        parts = self._scene.all("mo_part", number=said.DEMO_NUMBER)
        last = max((int(part["handset"]) for part in parts), default=said.FIRST_HANDSET)
        return str(said.FIRST_HANDSET + (last - said.FIRST_HANDSET) % said.HANDSETS + 1)

    def help(self) -> None:
        """Play HELP: the number's custom reply answers it, and consent does not change."""
        self._scene.step("HELP, which a custom reply of the number answers")
        row = self._incoming.message(said.HELP_TEXT, way=XML_GET)
        self._scene.expect("it reaches the application", got=row["text"], wanted=said.HELP_TEXT)
        answer = self._scene.first(
            "mt_command", handset=self.handset, purpose="help", what="the answer to HELP"
        )
        words = "the custom reply of the number directory goes out"
        self._scene.expect(words, got=answer["text"], wanted=said.HELP_REPLY)
        changes = self._scene.all("consent_change", handset=self.handset)
        self._scene.expect("it changes no consent", got=len(changes), wanted=0)

    def _ask_for(self, text: str) -> dict[str, Any]:
        """Request a reply; returns the gate's decision, once it is there."""
        self._scene.say(f"the application asks for {text!r}: POST /mt")
        answer, request_id = self._application.request(text)
        self._scene.expect("202: Kafka has acknowledged it", got=answer.status, wanted=202)

        def decided() -> dict[str, Any] | None:
            found = self._application.outcome(request_id)
            return None if found.get("state", "pending") == "pending" else found

        failure = f"GET /mt/{request_id} gave no decision"
        return wait_for(decided, seconds=EFFECT_SECONDS, failure=failure)

    def reply_that_goes_out(self, text: str) -> None:
        """Play a reply that the gate lets pass."""
        self._scene.step("A reply that goes out")
        outcome = self._ask_for(text)
        self._scene.expect("GET /mt/{id}: a command", got=outcome["state"], wanted="command")
        request_id = outcome["request_id"]
        row = self._scene.first("mt_command", request_id=request_id, what="the command")
        got = (row["purpose"], row["sender_id"], row["text"])
        words = "it goes out from the number last texted, with that text"
        self._scene.expect(words, got=got, wanted=("reply", said.DEMO_NUMBER, text))

    def stop(self) -> dict[str, Any]:
        """Play a stop message; returns its row."""
        self._scene.step("STOP")
        row = self._incoming.message_by_smpp(said.STOP)
        wanted = ("stop-word", "confirmation-due", "confirmation-due")
        words = "consent is withdrawn and a confirmation due, with us and with the gateway"
        self._scene.expect(words, got=self._change_by(row), wanted=wanted)
        return row

    def _change_by(self, message: dict[str, Any]) -> tuple[str, str, str]:
        """Rule, our state and the gateway's state of the change that a message made."""
        change = self._scene.first(
            "consent_change", mo_message_id=message["message_id"], what="the change of consent"
        )
        return change["rule"], change["state"], change["gateway_state"]

    def reply_that_is_refused(self, stop: dict[str, Any]) -> None:
        """Play a reply after the stop, which the gate refuses."""
        self._scene.step("A reply that is refused")
        outcome = self._ask_for(said.REFUSED_REPLY)
        self._scene.expect("GET /mt/{id}: a rejection", got=outcome["state"], wanted="rejection")
        request_id = outcome["request_id"]
        row = self._scene.first("mt_rejection", request_id=request_id, what="the rejection")
        got, wanted = (row["rule"], row["mo_message_id"]), ("opted-out", stop["message_id"])
        self._scene.expect("the reason is opted-out, by that message", got=got, wanted=wanted)
        self._scene.say(f"in words: {row['detail']}")

    def confirmation(self) -> None:
        """Play the default confirmation: no application confirms before the six hours end."""
        self._scene.step("The confirmation, as six hours pass: twoway clock advance 6h")
        advance_clock(self._stack.kafka, self._clock, SIX_HOURS, say=self._scene.say)
        sent = self._scene.all("mt_command", handset=self.handset, purpose="confirmation")
        texts = [row["text"] for row in sent]
        words = "exactly one confirmation went out, the guide's text"
        self._scene.expect(words, got=texts, wanted=[said.CONFIRMATION])
        changes = self._scene.all("consent_change", handset=self.handset, rule="confirmed")
        states = [(row["state"], row["gateway_state"]) for row in changes]
        words = "consent stands at stopped, with us and with the gateway"
        self._scene.expect(words, got=states, wanted=[("stopped", "stopped")])

    def re_enable(self) -> None:
        """Play a later message without a stop word, which opens both states again."""
        self._scene.step("A later message re-enables")
        change = self._change_by(self._incoming.message(said.RETURN, way=SOAP_GET))
        words = "consent is open again, with us and with the gateway"
        self._scene.expect(words, got=change, wanted=("re-enabled", "open", "open"))
