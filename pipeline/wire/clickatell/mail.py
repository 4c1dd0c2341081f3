"""A mail of lines (RFC 5322). The gateway reads only its body: text/plain as 7bit."""

from __future__ import annotations

import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

LONGEST_MAIL_LINE: Final = 998  # octets without its end (RFC 5322 2.1.1)
#: dot-atom on both sides (RFC 5322 3.4.1): nothing that would need quoting, or could end a header.
_ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS: Final = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_ATOM}(?:\.{_ATOM})*")
_LONGEST_ADDRESS: Final = 254  # RFC 5321 4.5.3.1.3, without its brackets


def is_address(text: str) -> bool:
    """Whether mails can be sent from or to it."""
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def mail_from_lines(
    lines: Iterable[str], *, sender: str, recipient: str, name: str, at: datetime
) -> bytes:
    """The octets, with CRLF at line ends. `name` is the command's id, the same in every attempt.

    `is_address` must hold for the addresses; lines are ASCII without line ends.
    """
    head = (
        f"From: {sender}",
        f"To: {recipient}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <{name}@{sender.partition('@')[2]}>",
        "Subject: SMS",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
        "Content-Transfer-Encoding: 7bit",
        "",
    )
    return "".join(f"{line}\r\n" for line in (*head, *lines)).encode("ascii")
