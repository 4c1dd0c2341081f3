"""Takes the messages of a mail or a file, and gives one line for each, as HTTP answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.gateway.doors.lines import sends_from
from pipeline.gateway.doors.operations import line_of, replies
from pipeline.gateway.refusal import Refusal
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from pipeline.gateway.ground import Ground

#: Codes of a failed login: the desk notes no event for them.
_NOT_LET_IN: Final = frozenset({"001", "003", "005", "108"})


def take_lines(gateway: Ground, way: str, content: str, octets: bytes) -> list[str]:
    """Take the messages in `content`; return a line for each; `octets` are kept in the events."""
    try:
        if not content.strip():
            raise Refusal("110")
        sends = sends_from(content)
    except Refusal as refusal:
        _tell_refused(gateway, way, refusal, octets)
        return [f"ERR: {refusal.line}"]
    lines = []
    for given in sends:
        many = len(sends) > 1
        for reply in replies(gateway, "sendmsg", way, given, octets):
            if reply.refusal and not reply.to and reply.refusal.code in _NOT_LET_IN:
                _tell_refused(gateway, way, reply.refusal, octets, handset=given.get("to", ""))
            line = line_of("sendmsg", reply)
            lines.append(f"{line} To: {given.get('to', '')}" if many and not reply.to else line)
    return lines


def first_handset(content: str) -> str:
    """The first handset of the first message; empty if there is none."""
    return _first(content).get("to", "").partition(",")[0].strip()


def reply_to(content: str) -> list[str]:
    """The mail addresses that the answers go to (`reply:`, HTTP API's SMTP form)."""
    return [each for each in _first(content).get("reply", "").replace(" ", "").split(",") if each]


def _first(content: str) -> dict[str, str]:
    try:
        return sends_from(content)[0]
    except Refusal:
        return {}


def _tell_refused(
    gateway: Ground, way: str, refusal: Refusal, octets: bytes, *, handset: str = ""
) -> None:
    gateway.world.happen(
        EventKind.REFUSED,
        way=way,
        handset=handset,
        facts={"code": refusal.code, "words": refusal.words},
        received=octets,
    )
