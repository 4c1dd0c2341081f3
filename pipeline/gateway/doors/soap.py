"""The SOAP API, RPC/encoded: it returns the lines of the HTTP API as strings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Tree

from pipeline.gateway.doors.operations import line_of, replies
from pipeline.wire.xml import escaped

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground

_LOGIN: Final = ("session_id", "api_id", "user", "password")
_SENDMSG: Final = (
    "to from text concat deliv_ack callback deliv_time max_credits req_feat queue escalate mo"
    " cliMsgId unicode msg_type udh data validity"
)
#: The parameters of each operation, by position (from Clickatell's own client libraries).
OPERATIONS: Final[dict[str, tuple[str, ...]]] = {
    "auth": _LOGIN[1:],
    "ping": _LOGIN[:1],
    "sendmsg": (*_LOGIN, *_SENDMSG.split()),
    "querymsg": (*_LOGIN, "apiMsgId", "cliMsgId"),
    "delmsg": (*_LOGIN, "apiMsgId", "cliMsgId"),
    "getmsgcharge": (*_LOGIN, "apiMsgId"),
    "getbalance": _LOGIN,
    "routeCoverage": (*_LOGIN, "msisdn"),
}
_ARRAYS: Final = frozenset({"sendmsg", "querymsg", "getmsgcharge"})
_INTS: Final = frozenset(
    {"api_id", "concat", "deliv_ack", "callback", "deliv_time", "req_feat"}
    | {"queue", "escalate", "mo", "unicode", "validity"}
)
_SPACE: Final = "soap.clickatell.com"
_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope'
    ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/">'
    "<SOAP-ENV:Body>{}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)


@dataclass(frozen=True)
class Call:
    """An operation and its parameters, names in lower case; several `to` are joined by commas."""

    operation: str
    given: dict[str, str] = field(default_factory=dict)


def call_from(octets: bytes) -> Call | None:
    """Parse the call in an envelope; None if there is none.

    A parameter with an unknown name is taken by its position.
    """
    if b"<!DOCTYPE" in octets:
        return None
    try:
        root = Tree.fromstring(octets)  # noqa: S314 - DOCTYPE is refused above
    except Tree.ParseError:
        return None
    body = next((each for each in root if _local(each.tag) == "Body"), None)
    if body is None or not len(body):
        return None
    operation = _local(body[0].tag)
    places = OPERATIONS.get(operation, ())
    names = {name.lower() for name in places}
    given: dict[str, str] = {}
    for at, parameter in enumerate(body[0]):
        name = _local(parameter.tag).lower()
        if name not in names and at < len(places):
            name = places[at].lower()
        items = [item.text or "" for item in parameter]
        value = ",".join(items) if items else parameter.text or ""
        given[name] = f"{given[name]},{value}" if name == "to" and given.get(name) else value
    if given.get("api_id") == "0":
        del given["api_id"]
    return Call(operation, given)


def answer(gateway: Ground, call: Call | None, received: bytes) -> bytes:
    """The envelope of the answer: a string, an array of strings, or a SOAP fault."""
    if call is None or call.operation not in OPERATIONS:
        fault = (
            "<SOAP-ENV:Fault><faultcode>SOAP-ENV:Client</faultcode>"
            "<faultstring>Operation is not defined in the WSDL</faultstring></SOAP-ENV:Fault>"
        )
        return _ENVELOPE.format(fault).encode()
    operation = call.operation.lower()
    found = replies(gateway, operation, "soap", call.given, received)
    lines = [escaped(line_of(operation, reply)).decode() for reply in found]
    if call.operation in _ARRAYS:
        items = "".join(f'<item xsi:type="xsd:string">{line}</item>' for line in lines)
        kind = f'xsi:type="SOAP-ENC:Array" SOAP-ENC:arrayType="xsd:string[{len(lines)}]"'
        inside = f"<return {kind}>{items}</return>"
    else:
        inside = f'<return xsi:type="xsd:string">{lines[0]}</return>'
    name = f"{call.operation}Response"
    return _ENVELOPE.format(f'<ns1:{name} xmlns:ns1="{_SPACE}">{inside}</ns1:{name}>').encode()


def wsdl(url: str) -> bytes:
    """The WSDL of the service PushServerWS at `url`."""
    messages, operations, bindings = [], [], []
    for name, places in OPERATIONS.items():
        parts = "".join(f'<part name="{each}" type="{_type(each)}"/>' for each in places)
        result = "tns:strings" if name in _ARRAYS else "xsd:string"
        messages.append(
            f'<message name="{name}Request">{parts}</message><message name="{name}Response">'
            f'<part name="return" type="{result}"/></message>'
        )
        operations.append(
            f'<operation name="{name}"><input message="tns:{name}Request"/>'
            f'<output message="tns:{name}Response"/></operation>'
        )
        body = (
            f'<soap:body use="encoded" namespace="{_SPACE}"'
            ' encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"/>'
        )
        bindings.append(
            f'<operation name="{name}"><soap:operation soapAction="{_SPACE}#{name}" style="rpc"/>'
            f"<input>{body}</input><output>{body}</output></operation>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><definitions name="PushServerWS"'
        f' targetNamespace="{_SPACE}" xmlns:tns="{_SPACE}" xmlns="http://schemas.xmlsoap.org/wsdl/"'
        ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:SOAP-ENC="http://schemas.xmlsoap.org/soap/encoding/"'
        ' xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
        f'<types><xsd:schema targetNamespace="{_SPACE}">'
        '<xsd:import namespace="http://schemas.xmlsoap.org/soap/encoding/"/>'
        '<xsd:complexType name="strings"><xsd:complexContent>'
        '<xsd:restriction base="SOAP-ENC:Array"><xsd:attribute ref="SOAP-ENC:arrayType"'
        ' wsdl:arrayType="xsd:string[]"/></xsd:restriction></xsd:complexContent>'
        "</xsd:complexType></xsd:schema></types>"
        f'{"".join(messages)}<portType name="PushServerWSPortType">{"".join(operations)}</portType>'
        '<binding name="PushServerWSBinding" type="tns:PushServerWSPortType"><soap:binding'
        ' style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f'{"".join(bindings)}</binding><service name="PushServerWS"><port name="PushServerWSPort"'
        f' binding="tns:PushServerWSBinding"><soap:address location="{escaped(url).decode()}"/>'
        "</port></service></definitions>"
    ).encode()


def _type(name: str) -> str:
    if name == "to":
        return "tns:strings"
    if name == "max_credits":
        return "xsd:float"
    return "xsd:int" if name in _INTS else "xsd:string"


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
