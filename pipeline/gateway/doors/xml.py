"""The XML API (2.4.9): commands in `clickAPI`, and a `…Resp` element for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Tree

from pipeline.gateway.doors.operations import Reply, replies
from pipeline.gateway.refusal import Refusal
from pipeline.wire.xml import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.gateway.ground import Ground

Command = tuple[str, dict[str, str]]
_BALANCE: Final = {"balance": "ok", "coverage": "ok"}


def commands_from(document: str) -> list[Command] | None:
    """The tag of each command, with its values by name in lower case; None if it is not XML."""
    if not document or "<!DOCTYPE" in document:
        return None
    try:
        root = Tree.fromstring(document.strip().encode())  # noqa: S314 - DOCTYPE is refused above
    except Tree.ParseError:
        return None
    commands: list[Command] = []
    for command in root:
        given: dict[str, str] = {}
        for child in command:
            text, name = child.text or "", child.tag.lower()
            given[name] = f"{given[name]},{text}" if name == "to" and name in given else text
        commands.append((command.tag, given))
    return commands


def answer(gateway: Ground, commands: Sequence[Command] | None, received: bytes) -> bytes:
    """Do the commands; return the XML document of their answers."""
    if not commands:
        fault = Reply(refusal=Refusal("100", "Data malformed"))
        return b"<clickAPI>%b</clickAPI>" % _element("xmlErrorResp", fault, "")
    inside = b"".join(
        _element(f"{tag}Resp", reply, given.get("sequence_no", ""))
        for tag, given in commands
        for reply in replies(gateway, tag.lower(), "xml", given, received)
    )
    return b'<?xml version="1.0"?>\n<clickAPI>%b</clickAPI>' % inside


def _element(tag: str, reply: Reply, sequence: str) -> bytes:
    fields = [(_BALANCE.get(name, name), value) for name, value in reply.fields]
    if reply.refusal:
        fields.append(("fault", reply.refusal.line))
    if reply.to:
        fields.append(("to", reply.to))
    if sequence:
        fields.append(("sequence_no", sequence))
    inside = b"".join(
        b"<%b>%b</%b>" % (name.encode(), escaped(value), name.encode()) for name, value in fields
    )
    return b"<%b>%b</%b>" % (tag.encode("ascii", "replace"), inside, tag.encode("ascii", "replace"))
