"""Who is outside in the demo: the gateway that delivers, and the application that answers."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from pipeline.commands.report import HttpAnswer, call
from pipeline.commands.waiting import pause
from pipeline.demo.conversation import API_ID, NUMBER
from pipeline.wire.callback import MoCallback
from pipeline.wire.http_form import FORM, render

if TYPE_CHECKING:
    from pipeline.clock import PipelineClock

GATEWAY_ZONE: Final = timezone(timedelta(hours=2))  # G8.3.1: fixed, no daylight saving


class Gateway:
    """Delivers what a handset sends, by the HTTP callback (G8.3.1)."""

    def __init__(self, *, ingest: str, clock: PipelineClock, handset: str) -> None:
        self._ingest = ingest
        self._clock = clock
        self._handset = handset

    def moment(self) -> datetime:
        """A second not yet begun: gateway times have no fraction, and an answer must follow."""
        last = self._clock.now().replace(microsecond=0)
        while (now := self._clock.now()) < last + timedelta(seconds=1):
            pause()
        return now

    def callback(self, octets: bytes, *, charset: str, at: datetime, udh: str = "") -> MoCallback:
        """One part as the gateway words it, with an id of its own."""
        return MoCallback(
            handset=self._handset,
            number=NUMBER,
            api_id=API_ID,
            mo_msg_id=uuid.uuid4().hex,
            timestamp=at.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            charset=charset,
            udh=udh,
            octets=octets,
        )

    def get(self, callback: MoCallback) -> HttpAnswer:
        """Deliver by HTTP GET."""
        return call(f"{self._ingest}/mo/http?{render(callback).decode('ascii')}")

    def post(self, callback: MoCallback) -> HttpAnswer:
        """Deliver by HTTP POST, as a form."""
        return call(
            f"{self._ingest}/mo/http", body=render(callback), headers={"Content-Type": FORM}
        )


class Application:
    """Asks for replies and for what became of them, over HTTP."""

    def __init__(self, *, ingest: str, handset: str) -> None:
        self._ingest = ingest
        self._handset = handset

    def request(self, text: str) -> tuple[HttpAnswer, str]:
        """Ask for a reply to the handset: the answer, and the request's id."""
        request_id = uuid.uuid4().hex
        answer = call(
            f"{self._ingest}/mt",
            body=json.dumps({"to": self._handset, "text": text}).encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": request_id},
        )
        if answer.status == 202:
            request_id = json.loads(answer.text)["request_id"]
        return answer, request_id

    def outcome(self, request_id: str) -> dict[str, Any]:
        """What `GET /mt/{request_id}` says."""
        answer = call(f"{self._ingest}/mt/{request_id}")
        found: dict[str, Any] = json.loads(answer.text) if answer.status == 200 else {}
        return found
