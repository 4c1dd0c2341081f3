"""Writes the mails that `reply:` asks for into the home; the stand-in sends no mail."""

from __future__ import annotations

import itertools
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from pipeline.home.holding import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

FOLDER: Final = "gateway-mail"  # in the home
MOST: Final = 1_000  # files kept
SENDER: Final = "sms@messaging.clickatell.com"
SUBJECT: Final = "Clickatell API response"  # our own choice: no source gives the subject


class ReplyMails:
    """A folder of mails; each mail is a numbered file, and the latest `MOST` stay."""

    def __init__(self, home: Path, now: Callable[[], datetime]) -> None:
        self._folder = home / FOLDER
        self._now = now

    def write(self, addresses: Iterable[str], lines: Iterable[str]) -> bytes:
        """Write one mail with the answers, one on each line; return its octets."""
        mail = EmailMessage(policy=SMTP)
        mail["From"] = SENDER
        mail["To"] = ", ".join(filter(_is_harmless, addresses)) or "nobody@stand-in.invalid"
        mail["Subject"] = SUBJECT
        mail["Date"] = format_datetime(self._now())
        mail.set_content("".join(f"{line}\n" for line in lines), charset="utf-8")
        octets = mail.as_bytes()
        self._folder.mkdir(parents=True, exist_ok=True)
        known = sorted(self._folder.glob("*.eml"))
        last = int(known[-1].stem) if known and known[-1].stem.isdigit() else 0
        for name in itertools.islice(known, max(0, len(known) - MOST + 1)):
            name.unlink(missing_ok=True)
        write_atomically(self._folder / f"{last + 1:06}.eml", octets.decode("utf-8"))
        return octets


def _is_harmless(address: str) -> bool:
    local, at, domain = address.rpartition("@")
    return bool(at and local and domain) and address.isascii() and address.isprintable()
