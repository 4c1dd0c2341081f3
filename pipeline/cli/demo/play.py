"""Plays the conversation step by step, and waits for and checks each effect."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.children import run_twoway
from pipeline.cli.demo.incoming import Incoming
from pipeline.cli.demo.replies import Replies
from pipeline.cli.demo.stand_in import Application, Phone, Switches
from pipeline.cli.operate.advance import advance_stack
from pipeline.gateway.settings import MoWay
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.cli.demo.scene import Scene
    from pipeline.clock import PipelineClock
    from pipeline.home.stack import Stack

SIX_HOURS: Final = timedelta(hours=6)
MINUTE: Final = timedelta(minutes=1)


class Play:
    """One handset's conversation with one number; `address` is the stand-in's."""

    def __init__(
        self, *, stack: Stack, address: str, home: Path, clock: PipelineClock, scene: Scene
    ) -> None:
        self._scene = scene
        self._home = home
        self._switches = Switches(address)
        self._lost = Phone(address, said.LOST)
        self._advance = partial(advance_stack, stack, clock, say=scene.say)
        self.phone = Phone(address, self._fresh_handset())
        self._incoming = Incoming(phone=self.phone, switches=self._switches, scene=scene, home=home)
        self._replies = Replies(
            application=Application(stack.ingest),
            phone=self.phone,
            switches=self._switches,
            scene=scene,
            advance=self._advance,
        )

    def run(self) -> None:
        """Play all steps; raises `CommandError` at the first effect that is wrong."""
        self._incoming.one_part()
        self._incoming.three_parts()
        self._incoming.every_way()
        self._incoming.help()
        self._replies.by_every_way(MINUTE)
        self._replies.lost_answer(self._lost, 2 * MINUTE)
        stop = self.stop()
        self._replies.refused(said.REFUSED_REPLY, by=stop)
        self.confirmation()
        self.re_enable()
        self._replies.reply(said.LAST_REPLY)
        self.nothing_twice()

    def _fresh_handset(self) -> str:
        """The next handset after the last one used in this home."""
        parts = self._scene.all("mo_part", number=said.DEMO_NUMBER)
        used = [int(part["handset"]) - said.FIRST_HANDSET for part in parts]
        last = max((each for each in used if 0 < each <= said.HANDSETS), default=0)
        return str(said.FIRST_HANDSET + last % said.HANDSETS + 1)

    def stop(self) -> dict[str, Any]:
        """A stop message, while a reply waits for the gateway; its row."""
        self._scene.step("STOP, while a reply waits")
        with self._switches.turned_on("throttle"):
            waiting = self._replies.waits(said.WAITING_REPLY)
            row = self._incoming.message_by_smpp(said.STOP)
            wanted = ("stop-word", "confirmation-due", "confirmation-due")
            words = "consent is withdrawn and a confirmation due, with us and with the gateway"
            self._scene.expect(words, got=self._change_by(row), wanted=wanted)
            now = self._replies.stands(waiting, "refused")
        words = "the reply that waited is refused, and never leaves"
        got = (now["code"], self.phone.events(EventKind.SHOWN, text=said.WAITING_REPLY))
        self._scene.expect(words, got=got, wanted=("opted-out-before-sent", []))
        self._believes(f"confirmation due for {said.DEMO_NUMBER}", "the handset sent STOP")
        return row

    def _change_by(self, message: dict[str, Any]) -> tuple[str, str, str]:
        """Rule, our state and the gateway's state of the change that a message made."""
        change = self._scene.first(
            "consent_change", mo_message_id=message["message_id"], what="the change of consent"
        )
        return change["rule"], change["state"], change["gateway_state"]

    def _believes(self, state: str, why: str) -> None:
        """Check what the stand-in believes: it has rules of its own."""
        words = f"The gateway believes: {state} ({why})"
        self._scene.expect(words, got=self.phone.gateway_belief(), wanted=words)

    def confirmation(self) -> None:
        """The default confirmation: no application confirms before the six hours end."""
        self._scene.step("The confirmation, as six hours pass: twoway clock advance 6h")
        self._advance(SIX_HOURS)
        handset = self.phone.handset
        sent = self._scene.all("mt_command", handset=handset, purpose="confirmation")
        texts = [row["text"] for row in sent]
        words = "exactly one confirmation went out, the guide's text"
        self._scene.expect(words, got=texts, wanted=[said.CONFIRMATION])
        changes = self._scene.all("consent_change", handset=handset, rule="confirmed")
        states = [(row["state"], row["gateway_state"]) for row in changes]
        words = "consent stands at stopped, with us and with the gateway"
        self._scene.expect(words, got=states, wanted=[("stopped", "stopped")])
        self.phone.shows(said.CONFIRMATION)
        shown = self.phone.events(EventKind.SHOWN, text=said.CONFIRMATION)
        words = "the handset shows it once: it came in time, and the gateway sent none of its own"
        self._scene.expect(words, got=len(shown), wanted=1)
        self._believes(f"stopped for {said.DEMO_NUMBER}", "the customer confirmed the stop")

    def re_enable(self) -> None:
        """A later message without a stop word, which opens both states again."""
        self._scene.step("A later message re-enables")
        change = self._change_by(self._incoming.message(said.RETURN, MoWay.SOAP_GET))
        words = "consent is open again, with us and with the gateway"
        self._scene.expect(words, got=change, wanted=("re-enabled", "open", "open"))
        self._believes("all open", "the handset sent a message")

    def nothing_twice(self) -> None:
        """Ask the stand-in whether any message came twice."""
        self._scene.step("Nothing came twice: twoway gateway seen --twice")
        printed = run_twoway("gateway", "seen", "--twice", home=self._home)
        self._scene.expect("the gateway got no message twice", got=printed, wanted="")
