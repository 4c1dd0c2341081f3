"""A call to the gateway, in the form of one POST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from pipeline.wire.percent import percent_from_octets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.wire.clickatell.answers import Reply
    from pipeline.wire.clickatell.message import WireMessage

FORM: Final = "application/x-www-form-urlencoded"


class GatewayCall(NamedTuple):
    """The operation, the path under the gateway's address, the body, and its headers."""

    operation: str
    path: str
    octets: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", FORM),)


class Wire(Protocol):
    """How a wire format writes each operation, and how its answers are read.

    `log_in` is answered by `Well(session)`, `ping` by `Well`, `send` by `Taken` and the queries by
    `Taken` with a status or a charge; each may be `RefusedReply`, or `Unclear`. Rendering raises
    `NotSendable` for characters that the format lacks.
    """

    def log_in(self, api_id: str, user: str, password: str) -> GatewayCall: ...
    def ping(self, session: str) -> GatewayCall: ...
    def send(self, session: str, message: WireMessage) -> GatewayCall: ...
    def ask_status(self, session: str, command_id: str) -> GatewayCall: ...
    def ask_charge(self, session: str, gateway_message_id: str) -> GatewayCall: ...
    def read(self, call: GatewayCall, octets: bytes, *, to: str = "") -> Reply: ...


def form_from_pairs(pairs: Iterable[tuple[str, str]]) -> bytes:
    """The form's octets: names are ASCII, values ISO-8859-1 (UTF-8 where that lacks one)."""
    return b"&".join(
        name.encode("ascii") + b"=" + percent_from_octets(_octets(value)) for name, value in pairs
    )


def _octets(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
