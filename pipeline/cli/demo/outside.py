"""The outside of the demo: the gateway that delivers, and the application that answers."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.report_client import HttpAnswer, call
from pipeline.cli.ask.waiting import pause
from pipeline.cli.demo.conversation import API_ID, DEMO_NUMBER
from pipeline.cli.terminal.failure import CommandError
from pipeline.wire import http_form, mo_log, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.percent import percent_from_octets
from pipeline.wire.smpp.callback import deliver_from_callback

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.demo.smsc import Smsc
    from pipeline.clock import PipelineClock

GATEWAY_ZONE: Final = timezone(timedelta(hours=2))  # G8.3.1: fixed, no daylight saving
LOG_NAME: Final = "demo-mo.log"


@dataclass(frozen=True)
class CallbackSender:
    """A way over HTTP: its path, and how a callback is written there."""

    method: str
    path: str
    render: Callable[[MoCallback], bytes | None]

    @property
    def words(self) -> str:
        """Method and path, as in a request line."""
        return f"{self.method} {self.path}"


HTTP_GET: Final = CallbackSender("GET", "/mo/http", http_form.render)
HTTP_POST: Final = CallbackSender("POST", "/mo/http", http_form.render)
XML_GET: Final = CallbackSender("GET", "/mo/xml", xml.render)
XML_POST: Final = CallbackSender("POST", "/mo/xml", xml.render)
SOAP_GET: Final = CallbackSender("GET", "/mo/soap", soap.render)
SOAP_POST: Final = CallbackSender("POST", "/mo/soap", soap.render)
HTTP_WAYS: Final = (HTTP_GET, HTTP_POST, XML_GET, XML_POST, SOAP_GET, SOAP_POST)


class Gateway:
    """Delivers what a handset sends, by each of the gateway's ways (G8.3)."""

    def __init__(
        self, *, ingest: str, smsc: Smsc, home: Path, clock: PipelineClock, handset: str
    ) -> None:
        self._ingest = ingest
        self._smsc = smsc
        self._clock = clock
        self._handset = handset
        self.log = home / LOG_NAME
        self.log.write_bytes(b"")

    def moment(self) -> datetime:
        """Wait for the next full second, and return the time.

        Gateway times have no fraction of a second, and each message must be later than the last.
        """
        last = self._clock.now().replace(microsecond=0)
        while (now := self._clock.now()) < last + timedelta(seconds=1):
            pause()
        return now

    def callback(self, octets: bytes, *, charset: str, at: datetime, udh: str = "") -> MoCallback:
        """One part as the gateway sends it, with a new id."""
        return MoCallback(
            handset=self._handset,
            number=DEMO_NUMBER,
            api_id=API_ID,
            mo_msg_id=uuid.uuid4().hex,
            timestamp=at.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S"),
            charset=charset,
            udh=udh,
            octets=octets,
        )

    def call(self, way: CallbackSender, callback: MoCallback) -> HttpAnswer:
        """Deliver over HTTP; a POST is a form as the guide prints it, a GET a query, encoded."""
        form = way.render(callback)
        if form is None:
            raise CommandError(f"{way.words} cannot carry these octets")
        if way.method == "POST":
            headers = {"Content-Type": http_form.FORM}
            return call(self._ingest + way.path, body=form, headers=headers)
        name, is_document, document = form.partition(b"=<")
        query = name + b"=" + percent_from_octets(b"<" + document) if is_document else form
        return call(f"{self._ingest}{way.path}?{query.decode('ascii')}")

    def deliver_sm(self, callback: MoCallback) -> int:
        """Deliver by SMPP; returns the status of the answer."""
        deliver = deliver_from_callback(callback)
        if deliver is None:
            raise CommandError("SMPP has no data_coding for these octets")
        return self._smsc.deliver(deliver)

    def append_to_log(self, *callbacks: MoCallback) -> None:
        """Append lines to mo.log, as the gateway does on the FTP server."""
        with self.log.open("ab") as file:
            file.writelines(mo_log.render(callback) + b"\n" for callback in callbacks)


class Application:
    """Requests replies over HTTP, and asks for their outcome."""

    def __init__(self, *, ingest: str, handset: str) -> None:
        self._ingest = ingest
        self._handset = handset

    def request(self, text: str) -> tuple[HttpAnswer, str]:
        """Request a reply to the handset; returns the answer and the request's id."""
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
        """The answer of `GET /mt/{request_id}`; empty unless it is 200."""
        answer = call(f"{self._ingest}/mt/{request_id}")
        found: dict[str, Any] = json.loads(answer.text) if answer.status == 200 else {}
        return found
