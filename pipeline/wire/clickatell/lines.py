"""A command as lines `name:value`, the form of a mail or an uploaded file.

The names are those of HTTP (source: Clickatell's pages on its SMTP and FTP APIs). Lines are ASCII:
a mail goes as 7bit, and no document says what else a file may hold. The gateway trims values, so a
text goes as it is only where no line of it begins or ends with a blank, or is empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.sms.gsm7.default import BASIC, EXTENSION
from pipeline.sms.segmentation import GSM7, segment_in
from pipeline.wire.clickatell.message import NotSendable, message_from_command

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.records import MtCommand

_PRINTABLE: Final = frozenset(
    character
    for character in (*BASIC, *EXTENSION.values())
    if character.isascii() and character.isprintable()
)
_VISIBLE: Final = "".join(map(re.escape, sorted(_PRINTABLE - {" "})))
_LINE: Final = f"[{_VISIBLE}](?:[{_VISIBLE} ]*[{_VISIBLE}])?"
_AS_IT_IS: Final = re.compile(f"{_LINE}(?:(?:\r\n|\r|\n){_LINE})*")
_LINE_END: Final = re.compile("\r\n|\r|\n")
_VALUE: Final = re.compile(r"[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?")
_ID: Final = re.compile("[0-9A-Za-z]{1,32}")  # cliMsgId (HTTP API 2.3.8, 5.1)


class Login:
    """The login in each mail or file; raises `ValueError` for a value that no line can hold."""

    def __init__(self, api_id: str, user: str, password: str) -> None:
        self.pairs = (("api_id", api_id), ("user", user), ("password", password))
        for name, value in self.pairs:
            if not _VALUE.fullmatch(value):
                raise ValueError(f"{name} must be printable ASCII, without a blank at its ends")


def lines_from_command(
    command: MtCommand,
    login: Login,
    *,
    longest: int,
    callback: int,
    max_parts: int,
    required_features: int,
) -> list[str]:
    """The lines, without their ends, of at most `longest` octets; raises `NotSendable`.

    Several `text:` are joined by a line end, which the gateway counts as two characters. Several
    `data:` are joined unchanged, and hold a text that is too long for a line.
    """
    if not _ID.fullmatch(command.command_id):
        raise NotSendable("command-id: cliMsgId takes 1 to 32 letters and digits")
    if command.sender_id and not _VALUE.fullmatch(command.sender_id):
        raise NotSendable("sender-id: a line takes printable ASCII, without a blank at its ends")
    width = longest - len("text:")
    outgoing = message_from_command(
        command,
        callback=callback,
        max_parts=max_parts,
        required_features=required_features,
        goes_as_it_is=lambda text: _goes_as_it_is(text, width),
    )
    parts = outgoing.parts
    if not outgoing.is_unicode:
        as_counted = _LINE_END.sub("\r\n", outgoing.text)
        parts = segment_in(as_counted, GSM7).parts
        if parts > max_parts:
            raise NotSendable(f"too-many-parts: {parts} of {max_parts} allowed, in GSM 7 bit")
    pairs = [*login.pairs]
    for name, value in outgoing.parameters():
        match name:
            case "text":
                pairs += _text(value, width)
            case "concat":
                pairs.append((name, str(parts)))
            case _:
                pairs.append((name, value))
    return [f"{name}:{value}" for name, value in pairs]


def _goes_as_it_is(text: str, width: int) -> bool:
    if not _AS_IT_IS.fullmatch(text):
        return False
    lines = _LINE_END.split(text)
    if len(lines) == 1:
        return _pieces(text, width) is not None
    return all(len(line) <= width for line in lines)


def _text(value: str, width: int) -> Iterable[tuple[str, str]]:
    """The text's own lines, or pieces of a line that is too long."""
    if len(value) <= width or _LINE_END.search(value):
        return [("text", line) for line in _LINE_END.split(value)]
    return [("data", piece) for piece in _pieces(value, width) or ()]


def _pieces(value: str, width: int) -> list[str] | None:
    """Pieces of at most `width` characters, none of which begins or ends with a blank.

    None if the text cannot be cut so.
    """
    pieces: list[str] = []
    at = 0
    while len(value) - at > width:
        end = at + width
        while end > at and " " in value[end - 1 : end + 1]:
            end -= 1
        if end == at:
            return None
        pieces.append(value[at:end])
        at = end
    return [*pieces, value[at:]]
