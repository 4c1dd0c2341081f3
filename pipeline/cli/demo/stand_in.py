"""The outside of the demo: handsets and faults of the gateway's stand-in, and an application."""

from __future__ import annotations

import json
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from pipeline.cli.ask.report_client import HttpAnswer, call
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.demo.conversation import DEMO_NUMBER
from pipeline.cli.gateway.phone_stream import events_of
from pipeline.cli.gateway.text import send
from pipeline.cli.terminal.failure import CommandError
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.cli.gateway.phone_stream import Fields
    from pipeline.gateway.settings import MoWay

SHOWN_SECONDS: Final = 60


class Phone:
    """One handset: what happened to it, and what it sends."""

    def __init__(self, address: str, handset: str) -> None:
        self._address = address
        self.handset = handset
        self._events: list[Fields] = []
        self._failure = ""
        connected = threading.Event()
        threading.Thread(target=self._follow, args=(connected,), daemon=True).start()
        if not connected.wait(SHOWN_SECONDS) or self._failure:
            raise CommandError(f"the stand-in does not show {handset}: {self._failure}")

    def _follow(self, connected: threading.Event) -> None:
        try:
            for fields in events_of(f"{self._address}/phones/{self.handset}", connected=connected):
                self._events.append(fields)
        except OSError as error:
            self._failure = str(error)
        finally:
            connected.set()

    def events(self, *kinds: EventKind, text: str = "") -> list[Fields]:
        """What happened so far, of these kinds and with this text."""
        wanted = {kind.value for kind in kinds}
        return [
            each
            for each in list(self._events)
            if each["kind"] in wanted and text in ("", each["text"])
        ]

    def shows(self, text: str) -> Fields:
        """The message with this text, once the handset shows it."""

        def shown() -> Fields | None:
            return next(iter(self.events(EventKind.SHOWN, text=text)), None)

        failure = f"the handset did not show {text!r}"
        return wait_for(shown, seconds=SHOWN_SECONDS, failure=failure)

    def texts(self, text: str, ways: Sequence[MoWay]) -> list[str]:
        """Text the demo's number; the id of each part, once every part was handed over."""
        before = len(self.events(EventKind.HANDED_OVER))
        ids = send(self._address, self.handset, DEMO_NUMBER, text, ways=ways)
        count = before + len(ids) * len(ways)

        def handed_over() -> bool | None:
            return len(self.events(EventKind.HANDED_OVER)) >= count or None

        wait_for(handed_over, seconds=SHOWN_SECONDS, failure="the stand-in did not say so")
        return ids

    def gateway_belief(self) -> str:
        """What the gateway believes of the handset's consent, in its words."""
        found = self.events(EventKind.CONSENT)
        return str(found[-1]["text"]) if found else "The gateway believes: all open"


class Switches:
    """The faults of the stand-in, for every handset."""

    def __init__(self, address: str) -> None:
        self._address = address

    def turn(self, name: str, *, on: bool) -> None:
        """Turn a fault on or off; raises `CommandError`."""
        body = urlencode({"is_on": "1" if on else "0"}).encode()
        headers = {"Accept": "application/json"}
        answer = call(f"{self._address}/faults/{name}", body=body, headers=headers)
        if answer.status != 200:
            raise CommandError(f"the stand-in does not play {name}: {answer.text}")

    @contextmanager
    def turned_on(self, name: str) -> Iterator[None]:
        """Have every message meet the fault within the block."""
        self.turn(name, on=True)
        try:
            yield
        finally:
            self.turn(name, on=False)


class Application:
    """Requests replies over HTTP, and asks for their outcome."""

    def __init__(self, ingest: str) -> None:
        self._ingest = ingest

    def request(self, to: str, text: str, *, api_id: str = "") -> tuple[HttpAnswer, str]:
        """Request a reply to the handset; returns the answer and the request's id."""
        request_id = uuid.uuid4().hex
        asked = {"to": to, "text": text, "from": DEMO_NUMBER}
        answer = call(
            f"{self._ingest}/mt",
            body=json.dumps(asked | ({"api_id": api_id} if api_id else {})).encode(),
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
