"""The SOAP API, RPC/encoded: parameters by position; HTTP's lines come back as strings.

A server finds a parameter by its place or by its name: both are those of the document. Written by
hand: a SOAP library would fetch a WSDL at each start, and only one operation is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Rejected
from pipeline.wire.clickatell.answers import Reply, Unclear, reply_from_text
from pipeline.wire.clickatell.call import GatewayCall
from pipeline.wire.clickatell.xml import element
from pipeline.wire.hardened_xml import fields_from_xml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.wire.clickatell.message import WireMessage

PATH: Final = "/soap/webservice.php"
_HEADERS: Final = (("Content-Type", "text/xml; charset=utf-8"), ("SOAPAction", '""'))
_ENVELOPE: Final = b"""<?xml version="1.0" encoding="UTF-8"?>
<SOAP-ENV:Envelope SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" \
xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" \
xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/">\
<SOAP-ENV:Body><tns:%b xmlns:tns="soap.clickatell.com">%b</tns:%b></SOAP-ENV:Body>\
</SOAP-ENV:Envelope>"""
STRING: Final = "string"
INT: Final = "int"
_NOT_SAID: Final = {STRING: "", INT: "0", "float": "0"}

#: Name and type of each parameter of sendmsg in its place; `to` is an array of strings.
SENDMSG: Final = (
    ("session_id", STRING),
    ("api_id", INT),
    ("user", STRING),
    ("password", STRING),
    ("to", "string[]"),
    ("from", STRING),
    ("text", STRING),
    ("concat", INT),
    ("deliv_ack", INT),
    ("callback", INT),
    ("deliv_time", INT),
    ("max_credits", "float"),
    ("req_feat", INT),
    ("queue", INT),
    ("escalate", INT),
    ("mo", INT),
    ("cliMsgId", STRING),
    ("unicode", INT),
    ("msg_type", STRING),
    ("udh", STRING),
    ("data", STRING),
    ("validity", INT),
)
_LOGIN: Final = SENDMSG[:4]


class SoapWire:
    """A missing value is an empty string or 0, so that every parameter is in its place."""

    def log_in(self, api_id: str, user: str, password: str) -> GatewayCall:
        values = {"api_id": api_id, "user": user, "password": password}
        return _call("auth", _LOGIN[1:], values)

    def ping(self, session: str) -> GatewayCall:
        return _call("ping", _LOGIN[:1], {"session_id": session})

    def send(self, session: str, message: WireMessage) -> GatewayCall:
        values = {"session_id": session, **dict(message.parameters())}
        return _call("sendmsg", SENDMSG, values)

    def ask_status(self, session: str, command_id: str) -> GatewayCall:
        places = (*_LOGIN, ("apiMsgId", STRING), ("cliMsgId", STRING))
        return _call("querymsg", places, {"session_id": session, "cliMsgId": command_id})

    def ask_charge(self, session: str, gateway_message_id: str) -> GatewayCall:
        places = (*_LOGIN, ("apiMsgId", STRING))
        values = {"session_id": session, "apiMsgId": gateway_message_id}
        return _call("getmsgcharge", places, values)

    def read(self, call: GatewayCall, octets: bytes, *, to: str = "") -> Reply:
        container = f"{call.operation}Response".lower()
        fields = fields_from_xml(octets.strip(), containers=frozenset({container}))
        if fields is None:
            return _fault(octets.strip())
        if isinstance(fields, Rejected):
            return Unclear()
        values = [value for value in fields.values() if value.strip()]
        return reply_from_text(values[0], to=to) if len(values) == 1 else Unclear()


def _fault(octets: bytes) -> Unclear:
    """A fault says that something failed, but not whether the message was taken before."""
    fields = fields_from_xml(octets, containers=frozenset({"fault"}))
    if fields is None or isinstance(fields, Rejected):
        return Unclear()
    return Unclear(f"a fault: {fields.get('faultstring') or fields.get('reason', '')}")


def _call(operation: str, places: Iterable[tuple[str, str]], values: dict[str, str]) -> GatewayCall:
    inside = b"".join(_parameter(name, kind, values.get(name)) for name, kind in places)
    tag = operation.encode()
    return GatewayCall(operation, PATH, _ENVELOPE % (tag, inside, tag), _HEADERS)


def _parameter(name: str, kind: str, value: str | None) -> bytes:
    if kind == "string[]":
        item = element("item", value or "", ' xsi:type="xsd:string"')
        array = b' xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[1]"'
        return b"<%b%b>%b</%b>" % (name.encode(), array, item, name.encode())
    return element(name, _NOT_SAID[kind] if value is None else value, f' xsi:type="xsd:{kind}"')
