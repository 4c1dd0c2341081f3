"""The HTTP API: a form goes out, lines come back (HTTP API 2.3.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.wire.clickatell.answers import Reply, reply_from_octets
from pipeline.wire.clickatell.call import GatewayCall, form_from_pairs

if TYPE_CHECKING:
    from pipeline.wire.clickatell.message import WireMessage


class HttpWire:
    """The names of parameters are spelled as in the document: they are case-sensitive."""

    def log_in(self, api_id: str, user: str, password: str) -> GatewayCall:
        return _call("auth", [("api_id", api_id), ("user", user), ("password", password)])

    def ping(self, session: str) -> GatewayCall:
        return _call("ping", [("session_id", session)])

    def send(self, session: str, message: WireMessage) -> GatewayCall:
        return _call("sendmsg", [("session_id", session), *message.parameters()])

    def ask_status(self, session: str, command_id: str) -> GatewayCall:
        return _call("querymsg", [("session_id", session), ("climsgid", command_id)])

    def ask_charge(self, session: str, gateway_message_id: str) -> GatewayCall:
        return _call("getmsgcharge", [("session_id", session), ("apimsgid", gateway_message_id)])

    def read(self, call: GatewayCall, octets: bytes, *, to: str = "") -> Reply:
        return reply_from_octets(octets, to=to)


def _call(operation: str, pairs: list[tuple[str, str]]) -> GatewayCall:
    return GatewayCall(operation, f"/http/{operation}", form_from_pairs(pairs))
