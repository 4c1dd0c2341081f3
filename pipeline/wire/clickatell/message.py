"""The parameters of a command for the gateway, for every way, with their values.

The gateway takes text in ISO-8859-1 and sends it in GSM 7 bit. A text that is not in both goes as
`unicode=1`, UTF-16BE in hex (HTTP API 2.3.8, 5.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.sms.gsm7.default import BASIC, EXTENSION
from pipeline.sms.segmentation import GSM7, UCS2, segment_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.records import MtCommand

_IN_BOTH: Final = frozenset(
    character
    for character in (*BASIC, *EXTENSION.values())
    if ord(character) <= 0xFF and (character.isprintable() or character in "\r\n")
)
_AS_IT_IS: Final = re.compile(f"[{''.join(map(re.escape, sorted(_IN_BOTH)))}]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DIGITS: Final = re.compile("[0-9]+")


class NotSendable(ValueError):
    """The command can never go this way; the words begin with the reason in one word."""


@dataclass(frozen=True, kw_only=True)
class WireMessage:
    """One message as parameters hold it. `text` is hex if `is_unicode`."""

    handset: str
    text: str
    sender_id: str
    is_unicode: bool
    parts: int
    is_reply_wanted: bool
    command_id: str
    callback: int
    required_features: int

    def parameters(self) -> list[tuple[str, str]]:
        """Names and values of sendmsg, without the login (HTTP API 2.3.8, 5)."""
        optional = (
            ("from", self.sender_id, self.sender_id),
            ("mo", "1", self.is_reply_wanted),
            ("unicode", "1", self.is_unicode),
            ("req_feat", str(self.required_features), self.required_features),
        )
        return [
            ("to", self.handset),
            ("text", self.text),
            *[(name, value) for name, value, is_said in optional if is_said],
            ("concat", str(self.parts)),
            ("cliMsgId", self.command_id),
            ("callback", str(self.callback)),
            ("deliv_ack", "1"),
        ]


def message_from_command(
    command: MtCommand,
    *,
    callback: int,
    max_parts: int,
    required_features: int,
    goes_as_it_is: Callable[[str], object] = _AS_IT_IS.fullmatch,
) -> WireMessage:
    """The message of a command; raises `NotSendable`. Its parts are those of the used encoding.

    A text that goes unchanged is in the GSM 7 bit alphabet; every other text goes as unicode.
    """
    if not _DIGITS.fullmatch(command.handset):
        raise NotSendable("not-digits: the handset is no number, or more than one")
    text = command.text
    if _SURROGATE.search(text):
        raise NotSendable("not-unicode: the text holds half of a surrogate pair")
    is_unicode = not goes_as_it_is(text)
    parts = segment_in(text, UCS2 if is_unicode else GSM7).parts
    if parts > max_parts:
        encoding = "UTF-16, as ISO-8859-1 does not hold it" if is_unicode else "GSM 7 bit"
        raise NotSendable(f"too-many-parts: {parts} of {max_parts} allowed, in {encoding}")
    return WireMessage(
        handset=command.handset,
        text=text.encode("utf-16-be").hex().upper() if is_unicode else text,
        sender_id=command.sender_id,
        is_unicode=is_unicode,
        parts=parts,
        is_reply_wanted=command.mo,
        command_id=command.command_id,
        callback=callback,
        required_features=required_features,
    )
