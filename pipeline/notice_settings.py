"""The settings of mails about a low balance. They are part of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True, kw_only=True)
class NoticeSettings:
    """To whom a sender mails that a balance is low, and by which server."""

    notify_to: str = _setting(
        "",
        "Mailboxes that a sender tells when a balance passes below its notify_below,"
        " comma-separated; empty: no mail.",
    )
    notify_from: str = _setting("", "The mailbox from which these mails come.")
    notify_smtp_host: str = _setting("", "The mail server that takes these mails.")
    notify_smtp_port: int = _setting(587, "Port of notify_smtp_host.")
    notify_smtp_user: str = _setting("", "User to log in there as; empty: no login.")
    notify_smtp_password_file: str = _setting(
        "", "File with the password of notify_smtp_user, and nothing else."
    )
    notify_smtp_tls: str = _setting(
        "on",
        "on: STARTTLS; off: no TLS, to loopback only; plain: no TLS, over any network.",
    )
    notify_smtp_ca: str = _setting(
        "", "Certificates (PEM) to trust there; empty: those the system trusts."
    )
