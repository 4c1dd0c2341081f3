"""The operations of the HTTP API (2.3.8), which XML, SOAP, mail and FTP use too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.gateway.ground import Ground


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer: the fields in order, with the names of XML, or a refusal.

    `to` is the handset, empty unless the call has several.
    """

    fields: tuple[tuple[str, str], ...] = ()
    to: str = ""
    refusal: Refusal | None = None


def replies(
    gateway: Ground, operation: str, way: str, given: Mapping[str, str], received: bytes
) -> list[Reply]:
    """Do an operation, its name in lower case; return at least one answer, one for each handset."""
    try:
        if operation == "auth":
            return [Reply(fields=(("session_id", gateway.account.open_session(given)),))]
        api_id = gateway.account.api_of(given)
        return _of_api(gateway, operation, way, api_id, given, received)
    except Refusal as refusal:
        return [Reply(refusal=refusal)]


def _of_api(
    gateway: Ground,
    operation: str,
    way: str,
    api_id: str,
    given: Mapping[str, str],
    received: bytes,
) -> list[Reply]:
    match operation:
        case "ping":
            return [Reply(fields=(("ok", ""),))]
        case "getbalance":
            return [Reply(fields=(("balance", f"{gateway.account.balance:.3f}"),))]
        case "querymsg" | "delmsg":
            message = gateway.messages.find(given)
            if operation == "delmsg":
                gateway.statuses.cancel(message)
            return [Reply(fields=(("apiMsgId", message.message_id), ("status", message.status)))]
        case "getmsgcharge":
            message = gateway.messages.find(given)
            return [
                Reply(
                    fields=(
                        ("apiMsgId", message.message_id),
                        ("charge", f"{message.charge:g}"),
                        ("status", message.status),
                    )
                )
            ]
        case "routecoverage":
            return [Reply(fields=(("coverage", given.get("msisdn", "")),))]
        case "sendmsg":
            results = gateway.desk.send(way, api_id, given, received=received)
            many = len(results) > 1
            return [
                Reply(
                    fields=(("apiMsgId", each.message.message_id),) if each.message else (),
                    to=each.handset if many else "",
                    refusal=each.refusal,
                )
                for each in results
            ]
    raise Refusal("101")


def line_of(operation: str, reply: Reply) -> str:
    """An answer as the line of text that HTTP and SOAP return."""
    to = f" To: {reply.to}" if reply.to else ""
    if reply.refusal:
        return f"ERR: {reply.refusal.line}{to}"
    values = dict(reply.fields)
    match operation:
        case "auth" | "ping":
            return f"OK: {values.get('session_id', '')}"
        case "getbalance":
            return f"Credit: {values['balance']}"
        case "getmsgcharge":
            return (
                f"apiMsgId: {values['apiMsgId']} charge: {values['charge']}"
                f" status: {values['status']}"
            )
        case "querymsg" | "delmsg":
            return f"ID: {values['apiMsgId']} Status: {values['status']}"
        case "routecoverage":
            return (
                "OK: This prefix is currently supported. Messages sent to this prefix will be"
                " routed. Charge: 1"
            )
    return f"ID: {values['apiMsgId']}{to}"
