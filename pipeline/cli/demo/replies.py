"""Replies: what the gate says, what becomes of them, and what the handset shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.demo import conversation as said
from pipeline.cli.demo.scene import EFFECT_SECONDS
from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from pipeline.cli.demo.scene import Scene
    from pipeline.cli.demo.stand_in import Application, Phone, Switches


class Replies:
    """Replies of an application, to the phones of the stand-in. `advance` moves the clock."""

    def __init__(
        self,
        *,
        application: Application,
        phone: Phone,
        switches: Switches,
        scene: Scene,
        advance: Callable[[timedelta], object],
    ) -> None:
        self._application = application
        self._phone = phone
        self._switches = switches
        self._scene = scene
        self._advance = advance

    def asked(self, text: str, *, to: str = "", api_id: str = "") -> str:
        """Request a reply; the request's id."""
        by = f" with the api_id {api_id}" if api_id else ""
        self._scene.say(f"the application asks for {text!r}: POST /mt{by}")
        handset = to or self._phone.handset
        answer, request_id = self._application.request(handset, text, api_id=api_id)
        self._scene.expect("202: Kafka has acknowledged it", got=answer.status, wanted=202)
        return request_id

    def decided(self, request_id: str) -> dict[str, Any]:
        """The gate's decision, once it is there."""

        def found() -> dict[str, Any] | None:
            outcome = self._application.outcome(request_id)
            return None if outcome.get("state", "pending") == "pending" else outcome

        failure = f"GET /mt/{request_id} gave no decision"
        return wait_for(found, seconds=EFFECT_SECONDS, failure=failure)

    def stands(self, request_id: str, state: str) -> dict[str, Any]:
        """How its command stands, once it stands so."""

        def found() -> dict[str, Any] | None:
            now = self._application.outcome(request_id).get("mt_state", {})
            return now if now.get("state") == state else None

        failure = f"GET /mt/{request_id} did not say {state}"
        return wait_for(found, seconds=EFFECT_SECONDS, failure=failure)

    def passed(self, text: str, *, to: str = "", api_id: str = "") -> str:
        """Request a reply that the gate lets pass; the request's id."""
        request_id = self.asked(text, to=to, api_id=api_id)
        self.passes(request_id, text)
        return request_id

    def passes(self, request_id: str, text: str) -> None:
        """Check that the gate lets it pass, and what goes out."""
        is_refused = self.decided(request_id)["state"] == "rejection"
        self._scene.expect("GET /mt/{id}: the gate lets it pass", got=is_refused, wanted=False)
        row = self._scene.first("mt_command", request_id=request_id, what="the command")
        got = (row["purpose"], row["sender_id"], row["text"])
        words = "it goes out from the number, with that text"
        self._scene.expect(words, got=got, wanted=("reply", said.DEMO_NUMBER, text))

    def delivered(self, request_id: str, text: str) -> None:
        """Check that a reply was delivered: the gateway says so, and the handset shows it."""
        now = self.stands(request_id, "delivered")
        words = "the gateway reports it delivered: status 004"
        self._scene.expect(words, got=now["code"], wanted="004")
        shown = self._phone.shows(text)
        words = f"the handset shows it, from {said.DEMO_NUMBER}"
        self._scene.expect(words, got=shown["other"], wanted=said.DEMO_NUMBER)

    def reply(self, text: str) -> None:
        """A reply that goes out and arrives."""
        self._scene.step("A reply")
        self.delivered(self.passed(text), text)

    def by_every_way(self, minute: timedelta) -> None:
        """A reply by each of the six ways."""
        self._scene.step("A reply by each way out: HTTP, XML, SOAP, SMPP, mail and FTP")
        asked = {way: self.asked(text, api_id=API_IDS[way]) for way, text in said.REPLIES.items()}
        for request_id in asked.values():
            self.stands_sent(request_id)
        self._scene.say("the gateway looks for files by FTP once a minute: clock advance 1m")
        self._advance(minute)
        for way, text in said.REPLIES.items():
            self._scene.say(f"by {way}: {text!r}")
            self.passes(asked[way], text)
            self.delivered(asked[way], text)

    def stands_sent(self, request_id: str) -> None:
        """Wait until the gateway has it."""

        def sent() -> bool | None:
            state = self._application.outcome(request_id).get("mt_state", {}).get("state")
            return state in ("submitted", "delivered") or None

        failure = f"the gateway did not get request {request_id}"
        wait_for(sent, seconds=EFFECT_SECONDS, failure=failure)

    def lost_answer(self, phone: Phone, minutes: timedelta) -> None:
        """A call whose answer is lost: not sent again, and resolved by a question."""
        self._scene.step("An answer that is lost")
        self._scene.say(f"{phone.handset} is a number of the stand-in: it takes what is sent to it")
        self._scene.say("and ends the connection; and it tells no status now (fault status-never)")
        with self._switches.turned_on("status-never"):
            request_id = self.passed(said.TO_BE_LOST, to=phone.handset)
            now = self.stands(request_id, "unknown")
            words = "it stands as unknown, and nothing is sent again"
            self._scene.expect(words, got=(now["attempt"], now["source"]), wanted=(1, "answer"))
            self._scene.say("the gateway is asked by cliMsgId: clock advance 2m")
            self._advance(minutes)
            now = self.stands(request_id, "delivered")
        words = "the gateway's answer resolves it: delivered"
        self._scene.expect(words, got=(now["attempt"], now["source"]), wanted=(1, "query"))
        shown = phone.events(EventKind.SHOWN, text=said.TO_BE_LOST)
        self._scene.expect("the handset shows it", got=bool(shown), wanted=True)

    def waits(self, text: str) -> str:
        """A reply that the gateway does not take for now; the request's id."""
        request_id = self.passed(text, api_id=API_IDS["soap"])
        now = self.stands(request_id, "waiting")
        self._scene.expect("the gateway is busy (130): it waits", got=now["code"], wanted="130")
        return request_id

    def refused(self, text: str, *, by: dict[str, Any]) -> None:
        """A reply after the stop, which the gate refuses."""
        self._scene.step("A reply that is refused")
        request_id = self.asked(text)
        outcome = self.decided(request_id)
        self._scene.expect("GET /mt/{id}: a rejection", got=outcome["state"], wanted="rejection")
        row = self._scene.first("mt_rejection", request_id=request_id, what="the rejection")
        got, wanted = (row["rule"], row["mo_message_id"]), ("opted-out", by["message_id"])
        self._scene.expect("the reason is opted-out, by that message", got=got, wanted=wanted)
        self._scene.say(f"in words: {row['detail']}")
