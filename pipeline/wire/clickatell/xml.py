"""The XML API: sends `data=<clickAPI>…`, and reads `…Resp` elements (XML API 2.4.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Rejected
from pipeline.wire.clickatell.answers import (
    Reply,
    Unclear,
    Well,
    refused_from_words,
    taken_from_fields,
)
from pipeline.wire.clickatell.call import GatewayCall, form_from_pairs
from pipeline.wire.clickatell.message import NotSendable
from pipeline.wire.hardened_xml import fields_from_xml
from pipeline.wire.xml import escaped, fits_xml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.wire.clickatell.message import WireMessage

PATH: Final = "/xml/xml"


class XmlWire:
    """One command for each document, so that one answer is about one message."""

    def log_in(self, api_id: str, user: str, password: str) -> GatewayCall:
        return _call("auth", [("api_id", api_id), ("user", user), ("password", password)])

    def ping(self, session: str) -> GatewayCall:
        return _call("ping", [("session_id", session)])

    def send(self, session: str, message: WireMessage) -> GatewayCall:
        return _call("sendMsg", [("session_id", session), *message.parameters()])

    def ask_status(self, session: str, command_id: str) -> GatewayCall:
        return _call("queryMsg", [("session_id", session), ("cliMsgId", command_id)])

    def ask_charge(self, session: str, gateway_message_id: str) -> GatewayCall:
        return _call("getMsgCharge", [("session_id", session), ("apiMsgId", gateway_message_id)])

    def read(self, call: GatewayCall, octets: bytes, *, to: str = "") -> Reply:
        container = f"{call.operation}Resp".lower()
        fields = fields_from_xml(octets.strip(), containers=frozenset({container}))
        if fields is None:  # of what it could not read, the fault stands by itself
            fields = fields_from_xml(octets.strip(), containers=frozenset({"clickapi"}))
        if fields is None or isinstance(fields, Rejected):
            return Unclear()
        given = {name: value.strip() for name, value in fields.items() if value.strip()}
        if "fault" in given:
            return Unclear() if "apimsgid" in given else refused_from_words(given["fault"], to=to)
        match call.operation:
            case "auth":
                return Well(given["session_id"]) if "session_id" in given else Unclear()
            case "ping":
                # What `ok` holds is not described; it may be empty.
                return Well() if "ok" in fields or "session_id" in given else Unclear()
            case _:
                return _taken(given, to)


def element(name: str, value: str, attributes: str = "") -> bytes:
    """One element in ASCII octets; raises `NotSendable` for characters that XML 1.0 lacks."""
    if not fits_xml(value):
        raise NotSendable(f"not-in-xml: {name} holds a character that XML 1.0 lacks")
    return b"<%b%b>%b</%b>" % (name.encode(), attributes.encode(), escaped(value), name.encode())


def _call(operation: str, children: Iterable[tuple[str, str]]) -> GatewayCall:
    inside = b"".join(element(name, value) for name, value in children)
    tag = operation.encode()
    document = b"<clickAPI><%b>%b</%b></clickAPI>" % (tag, inside, tag)
    return GatewayCall(operation, PATH, form_from_pairs([("data", document.decode("ascii"))]))


def _taken(given: dict[str, str], to: str) -> Reply:
    """Cut `To:…` off the ID, as a client of 2012 does: the gateway may put it there."""
    message_id, _, named = given.get("apimsgid", "").partition("To:")
    of_message = {"id": message_id.strip(), "to": given.get("to", "") or named.strip()}
    return taken_from_fields(given | of_message, to=to)
