"""Who is outside: the gateway, the application, and an analyst, over the stack's real addresses."""

from __future__ import annotations

import itertools
import json
import os
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import httpx

from pipeline.clock import PipelineClock
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.support.looking import looks
from tests.support.rented_numbers import ANN, API_ID, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import RunningStack

GATEWAY_ZONE = timezone(timedelta(hours=2))  # G8.3.1: GMT + 0200, no daylight saving
EFFECT_SECONDS = 60
_serial = itertools.count(1)


class Outside:
    """The outside of one running stack: gateway, application and analyst."""

    def __init__(self, running: RunningStack) -> None:
        self.running = running
        self.clock = PipelineClock(running.home)
        self.http = httpx.Client(timeout=30)

    @property
    def ingest(self) -> str:
        return self.running.stack.ingest

    def new_handset(self) -> str:
        """A handset that no other test uses."""
        return f"4479{os.getpid() % 10_000:04d}{next(_serial):04d}"

    def load_numbers(self, toml: str = NUMBERS) -> None:
        file = self.running.home / "end-to-end-numbers.toml"
        file.write_text(toml)
        self.running.cli("numbers", "load", str(file))

    def callback(self, handset: str, octets: bytes, **fields: str) -> MoCallback:
        """The query of one part, in the gateway's words; `minutes` shifts its time."""
        minutes = int(fields.pop("minutes", "0"))
        at = self.clock.now() + timedelta(minutes=minutes)
        given: dict[str, Any] = {
            "number": ANN,
            "api_id": API_ID,
            "mo_msg_id": f"{os.getpid():08x}{next(_serial):024x}",
            "timestamp": f"{at.astimezone(GATEWAY_ZONE):%Y-%m-%d %H:%M:%S}",
            "charset": "ISO-8859-1",
        }
        return MoCallback(handset=handset, octets=octets, **{**given, **fields})

    def deliver(self, callback: MoCallback) -> None:
        """Deliver a callback as the gateway does; it must be acknowledged."""
        query = http_form.render(callback).decode("ascii")
        answer = self.http.get(f"{self.ingest}/mo/http?{query}")
        assert answer.status_code == 200, answer.text

    def text(self, handset: str, text: str, **fields: str) -> MoCallback:
        """Deliver a one-part text."""
        callback = self.callback(handset, text.encode("latin-1"), **fields)
        self.deliver(callback)
        return callback

    def let_a_second_begin(self) -> None:
        """Return in the next second of the clock.

        The gateway tells whole seconds: a text of the second of an order is taken for an older one.
        """
        second = int(self.clock.now().timestamp())
        for _ in looks(seconds=5, first=0.05):
            if self.clock.now().timestamp() >= second + 1:
                return

    def ask_mt(self, **request: Any) -> str:
        """`POST /mt`; return the id of the request once Kafka has it."""
        body = {"from": ANN, **request}
        answer = self.http.post(f"{self.ingest}/mt", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["request_id"])

    def decided(self, request_id: str) -> dict[str, Any]:
        """The command or rejection of a request, by `GET /mt/{request_id}`."""

        def found() -> dict[str, Any] | None:
            answer = self.http.get(f"{self.ingest}/mt/{request_id}")
            state = answer.json() if answer.status_code == 200 else {"state": "unknown"}
            return None if state["state"] in ("pending", "unknown") else state

        return self.wait(found, f"request {request_id} decided")

    def sql(self, query: str, **parameters: str) -> list[dict[str, Any]]:
        """Rows of a query at the report."""
        answer = self.http.post(
            f"{self.running.stack.report}/sql",
            json={"query": query, "parameters": parameters},
        )
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]

    def rows(self, view: str, handset: str, *, at_least: int = 1, order: str = "1") -> list[Any]:
        """The rows of a handset, once there are enough."""

        def found() -> list[Any] | None:
            rows = self.sql(
                f"SELECT * FROM {view} WHERE handset = {{h:String}} ORDER BY {order}",
                h=handset,
            )
            return rows if len(rows) >= at_least else None

        return self.wait(found, f"{at_least} rows of {view}")

    def wait(self, found: Callable[[], Any], what: str) -> Any:
        """The result of `found`, as soon as it is not empty."""
        for _ in looks(seconds=EFFECT_SECONDS, first=0.2):
            if (result := found()) is not None:
                return result
        raise AssertionError(f"not seen: {what}\n{self.running.said()}")
