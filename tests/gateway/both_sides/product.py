"""The product without Kafka, and the road to it, which makes mo-raw of the gateway's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MoRaw, MtRequest
from tests.gateway.both_sides.numbers import numbers_of_the_product
from tests.support.outgoing import Outgoing
from tests.support.partition import HANDSET

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.records import ConsentChange, MtCommand

FORM = "application/x-www-form-urlencoded"
_NUMBERS = single_object.encode(numbers_of_the_product())


class Product(Outgoing):
    """One partition of the product, with a number of every kind."""

    def __init__(self) -> None:
        super().__init__()
        self.take(topics.NUMBERS, _NUMBERS)

    def wants(self, request_id: str, sender: str, *, keyword: str = "", confirms: bool) -> None:
        """Request an MT as an application; `confirms` makes it a confirmation."""
        request = MtRequest(
            request_id=request_id,
            to=HANDSET,
            text=f"text {request_id}",
            sender_id=sender,
            keyword=keyword or None,
            confirms_opt_out=confirms,
            requested_at=self.now,
        )
        self.take(topics.MT_REQUEST, single_object.encode(request), HANDSET.encode())

    def gateway_state(self, scope: str) -> str:
        """The gateway's state in the product: of the scope's latest row, else of the account's."""
        latest = self.latest_rows()
        row = latest.get(scope) or latest.get("main")
        return row.gateway_state if row else "open"

    def awaits(self) -> bool:
        """Whether a confirmation is due for any scope."""
        rows = self.latest_rows().values()
        return any("confirmation-due" in (row.state, row.gateway_state) for row in rows)

    def latest_rows(self) -> dict[str, ConsentChange]:
        """The latest row of each scope."""
        rows = self.written(topics.CONSENT_CHANGE)
        return {row.scope: row for row in sorted(rows, key=lambda row: (row.at, row.recorded_at))}

    def open_commands(self) -> list[MtCommand]:
        """The latest commands that were not sent yet, in order."""
        return [each for each in self.commands[-12:] if self.standing(each) in ("", "waiting")]

    def standing(self, command: MtCommand) -> str:
        """The last state that was written of a command; empty if there is none."""
        said = self.states_of(command)
        return said[-1].state if said else ""


class Road:
    """Replaces the stand-in's HTTP client; while it is closed every call gets 503."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.closed_until: datetime = product.now
        self.untaken: set[bytes] = set()  # messages that the gateway will try again

    async def call(self, method: str, url: str, octets: bytes) -> tuple[int, bytes]:
        """Take a callback as ingest does; return the HTTP status and the body."""
        kind, _, form = urlsplit(url).path.strip("/").partition("/")
        if self._product.now < self.closed_until:
            if kind == "mo":
                self.untaken.add(octets)
            return 503, b""
        is_get = method == "GET"
        raw = MoRaw(
            source=form if kind == "mo" else f"{kind}-{form}",
            received_at=self._product.now,
            method=method,
            content_type="" if is_get else FORM,
            query=octets if is_get else b"",
            octets=b"" if is_get else octets,
        )
        self._product.take(topics.MO_RAW, single_object.encode(raw), HANDSET.encode())
        self.untaken.discard(octets)
        return 200, b""
