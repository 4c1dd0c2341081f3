"""The lines with which the gateway answers, by HTTP and inside SOAP (HTTP API 2.3.8, 4 to 8).

Documents differ in case, blanks, order and in whether `To:` follows. Any other line is not
understood: it says neither that a message was taken nor that it was not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Taken:
    """The gateway has the message; for a query, its `status` of 3 digits and its `charge`."""

    gateway_message_id: str
    status: str = ""
    charge: str = ""


@dataclass(frozen=True, slots=True)
class RefusedReply:
    """The gateway did not take it. `code` has 3 digits, or is empty if the gateway gave none."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Well:
    """`OK`, and what follows it: the session, or nothing."""

    value: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """The answer is not understood. `words` are its readable part; empty: the answer itself."""

    words: str = ""


Reply = Taken | RefusedReply | Well | Unclear

_LONGEST_LINE: Final = 1_000  # characters; the patterns below are quadratic in blanks
_LINE_END: Final = re.compile("[\r\n]+")
_ERROR: Final = re.compile(
    r"err\s*:\s*(?:(?P<code>[0-9]{3})(?![0-9])\s*,?)?(?P<words>[^\r\n]*)", re.IGNORECASE
)
_WELL: Final = re.compile(r"ok(?:\s*:\s*(?P<value>[^\r\n]*))?", re.IGNORECASE)
_TO: Final = re.compile(r"\s+to\s*:\s*(?P<to>\+?[0-9]*)$", re.IGNORECASE)
_NAME: Final = re.compile(
    r"(?:^|(?<=\s))(apimsgid|id|status|charge|to)\s*:\s*", re.IGNORECASE | re.ASCII
)
_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
_STATUS: Final = re.compile(r"[0-9]{1,3}")
_CHARGE: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
_STARTS_WITH_DIGIT: Final = re.compile(r"\s*[0-9]")


def reply_from_text(text: str, *, to: str = "") -> Reply:
    """The line that answers for one message.

    `to` is the handset of the message: an answer that names another handset is not ours. Lines that
    contradict each other are not understood.
    """
    lines = {line.strip() for line in _LINE_END.split(text.removeprefix("\ufeff"))} - {""}
    if len(lines) != 1:
        return Unclear()
    line = lines.pop()
    return _reply_from_line(line, to) if len(line) <= _LONGEST_LINE else Unclear()


def reply_from_octets(octets: bytes, *, to: str = "") -> Reply:
    """The reply in a body: names and codes are ASCII, words UTF-8 or ISO-8859-1."""
    return reply_from_text(reply_text_from_octets(octets), to=to)


def reply_text_from_octets(octets: bytes) -> str:
    """The characters of an answer whose charset is not certain."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def refused_from_words(text: str, *, to: str = "") -> Reply:
    """`nnn, words` without `ERR:`, as XML has it in `fault`."""
    line = f"ERR: {' '.join(text.split())}"
    return _refused(line, to) if len(line) <= _LONGEST_LINE else Unclear()


def taken_from_fields(given: dict[str, str], *, to: str = "") -> Reply:
    """The message that the fields `id`, `status`, `charge` and `to` are about."""
    gateway_message_id, status = given.get("id", ""), given.get("status", "")
    charge = given.get("charge", "")
    if (
        not _ID.fullmatch(gateway_message_id)
        or (status and not _STATUS.fullmatch(status))
        or (charge and not _CHARGE.fullmatch(charge))
        or not _is_ours(given.get("to", ""), to)
    ):
        return Unclear()
    return Taken(gateway_message_id, status.zfill(3) if status else "", charge)


def _reply_from_line(line: str, to: str) -> Reply:
    if (well := _WELL.fullmatch(line)) is not None:
        return Well((well["value"] or "").strip())
    if _ERROR.match(line):
        return _refused(line, to)
    pieces = _NAME.split(line)
    if pieces[0] or len(pieces) < 3:  # octets before the first name, or no name
        return Unclear()
    names = ["id" if name.lower() == "apimsgid" else name.lower() for name in pieces[1::2]]
    if len(set(names)) < len(names):
        return Unclear()
    values = [value.strip() for value in pieces[2::2]]
    return taken_from_fields(dict(zip(names, values, strict=True)), to=to)


def _refused(line: str, to: str) -> Reply:
    named = _TO.search(line)
    if named is not None:
        line = line[: named.start()]
        if not _is_ours(named["to"], to):
            return Unclear()
    error = _ERROR.fullmatch(line.strip())
    if error is None or not (error["code"] or error["words"].strip()):
        return Unclear()
    if error["code"] is None and _STARTS_WITH_DIGIT.match(error["words"]):
        return Unclear()  # the line was cut inside its code
    return RefusedReply(error["code"] or "", error["words"].strip())


def _is_ours(named: str, to: str) -> bool:
    return not named or not to or named.lstrip("+") == to
