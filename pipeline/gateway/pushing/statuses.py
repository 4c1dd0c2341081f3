"""Moves a message through its statuses, and pushes them to the product (HTTP API, appendix B)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.pushing.retries import MT_RETRIES
from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from pipeline.wire.percent import percent_from_octets
from pipeline.wire.xml import escaped

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground
    from pipeline.gateway.messages import Message

_UNDELIVERED: Final = frozenset({"005", "007", "009", "010", "012"})
_SECOND: Final = frozenset({"004", "005", "006", "007", "008", "010", "012"})
#: The statuses pushed for each value of `callback` (HTTP API 2.3.8; values 4 to 7: 2014).
PUSHED: Final = {
    1: frozenset({"002", "003", "011"}),
    2: _SECOND,
    3: _SECOND | {"002", "003", "009", "011"},
    4: _UNDELIVERED,
    5: _UNDELIVERED | {"003"},
    6: _UNDELIVERED | {"004"},
    7: _UNDELIVERED | {"003", "004"},
}
LATE_DAYS: Final = 3.0
_WAITING: Final = frozenset({"002", "011"})  # queued, or deferred
_SOAP: Final = (
    '<?xml version="1.0" encoding="ISO-8859-1"?><SOAP-ENV:Envelope'
    ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP-ENV:Body>'
    '<tns:mt_callback xmlns:tns="mt_callback">{}</tns:mt_callback>'
    "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_SOAP_TYPES: Final = {"api_id": "int", "timestamp": "int", "status": "int", "charge": "float"}


class Statuses:
    """Moves each message from 008 to 003 and 004 on the home's clock."""

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway

    def begin(self, message: Message) -> None:
        """Schedule the statuses of a message that was taken, after the message's delay."""
        settings = self._gateway.settings
        rule = self._gateway.meet(Group.STATUS, message.way, message.handset)
        message.fault = rule.name if rule else ""
        late = timedelta(days=LATE_DAYS if rule is None or rule.days is None else rule.days)
        extra = message.delay + (late if message.fault == "status-late" else timedelta())
        gateway = timedelta(seconds=settings.gateway_seconds)
        handset = gateway + timedelta(seconds=settings.handset_seconds)
        last = "007" if message.fault == "undelivered" else "004"
        steps = [(timedelta(), "008"), (gateway, "003"), (handset, last)]
        if message.fault == "status-disorder":
            steps = [(gateway, last), (handset, "003"), (handset + gateway, "008")]
        if message.delay:
            message.status = "011"
            self._gateway.schedule.later(timedelta(), partial(self._reached, message, "011"))
        for after, status in steps:
            later = after + extra
            self._gateway.schedule.later(later, partial(self._reached, message, status))

    def cancel(self, message: Message) -> None:
        """Cancel a message in status 002 or 011; no other (HTTP API 2.3.8, delmsg)."""
        if message.status in _WAITING:
            message.status = "006"
            self._gateway.schedule.later(timedelta(), partial(self._reached, message, "006"))

    async def _reached(self, message: Message, status: str) -> None:
        if message.status == "006" and status != "006":
            return
        now = self._gateway.clock.now()
        message.history.append((now, status))
        if message.status not in ("004", "007"):
            message.status = status
        if status == "004":
            self._gateway.show(message)
        if message.fault == "status-never":
            return
        for _ in range(2 if message.fault == "status-twice" else 1):
            await self._push(message, status, int(now.timestamp()))

    async def _push(self, message: Message, status: str, seconds: int) -> None:
        if message.way == "smpp":
            if status in ("004", "007") and message.callback:
                await self._gateway.smpp.receipt(message, status)
            return
        if status in PUSHED.get(message.callback, ()):
            await self._attempt(message, status, seconds, 0)

    async def _attempt(self, message: Message, status: str, seconds: int, failures: int) -> None:
        kind, method, octets = _rendered(message, status, seconds)
        url = f"{self._gateway.settings.callbacks}/status/{kind}"
        code, answer = await self._gateway.post.call(method, url, octets)
        self._gateway.world.happen(
            EventKind.STATUS,
            way=kind,
            handset=message.handset,
            sender_id=message.sender_id,
            message_id=message.message_id,
            client_id=message.client_id,
            facts={"status": status, "answer": code, "attempt": failures + 1},
            sent=octets,
            received=answer,
        )
        if code != 200 and failures < len(MT_RETRIES):
            again = partial(self._attempt, message, status, seconds, failures + 1)
            self._gateway.schedule.later(MT_RETRIES[failures], again)


def _rendered(message: Message, status: str, seconds: int) -> tuple[str, str, bytes]:
    """The form (http, xml or soap), the HTTP method, and the octets of the query or the body."""
    values = {
        "api_id": message.api_id,
        "apiMsgId": message.message_id,
        "cliMsgId": message.client_id,
        "timestamp": str(seconds),
        "to": message.handset,
        "from": message.sender_id,
        "status": status,
        "charge": f"{message.charge:.6f}",
    }
    if message.api_id == API_IDS["xml"]:
        inside = "".join(_element(name, text) for name, text in values.items() if name != "api_id")
        return "xml", "POST", _data(f'<?xml version="1.0"?><callback>{inside}</callback>')
    if message.api_id == API_IDS["soap"]:
        inside = "".join(
            _element(name.lower(), text, f' xsi:type="xsd:{_SOAP_TYPES.get(name, "string")}"')
            for name, text in values.items()
        )
        return "soap", "POST", _data(_SOAP.format(inside))
    pairs = [
        f"{name}={percent_from_octets(text.encode()).decode()}" for name, text in values.items()
    ]
    return "http", "GET", "&".join(pairs).encode()


def _element(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{attributes}>{escaped(text).decode()}</{name}>"


def _data(document: str) -> bytes:
    return b"data=" + percent_from_octets(document.encode())
