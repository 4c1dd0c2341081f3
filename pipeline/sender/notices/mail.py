"""The mail about a low balance, and where it goes (RFC 5322)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.credits import amount_from_units
from pipeline.process.client_tls import TlsError, tls_for
from pipeline.process.peer_words import keep_secret
from pipeline.sender.apis.addresses import HIGHEST_PORT, is_host
from pipeline.sender.apis.api import Api, WayName
from pipeline.wire.clickatell.mail import is_address

if TYPE_CHECKING:
    import ssl

    from pipeline.records import AccountNotice
    from pipeline.settings import Settings

MAIL_SECONDS: Final = 30.0
_MOST_RECIPIENTS: Final = 20


class NoticeSettingsError(ValueError):
    """The settings of notices cannot be used; the words name the setting, and hold no secret."""


@dataclass(frozen=True, kw_only=True)
class MailRoute:
    """The mail server, who writes, and to whom."""

    server: Api
    tls: ssl.SSLContext | None
    sender: str
    recipients: tuple[str, ...]


def mail_route(settings: Settings) -> MailRoute | None:
    """How notices are mailed; None where nobody is named. Raises `NoticeSettingsError`."""
    recipients = tuple(each.strip() for each in settings.notify_to.split(",") if each.strip())
    if not recipients:
        return None
    for name, address in (
        ("notify_from", settings.notify_from),
        *(("notify_to", each) for each in recipients),
    ):
        if not is_address(address):
            raise NoticeSettingsError(f"{name} must be the address of a mailbox (RFC 5322 3.4.1)")
    if len(recipients) > _MOST_RECIPIENTS:
        raise NoticeSettingsError(f"notify_to names more than {_MOST_RECIPIENTS} mailboxes")
    if not is_host(settings.notify_smtp_host):
        raise NoticeSettingsError("notify_smtp_host is no name and no address")
    if not 0 < settings.notify_smtp_port <= HIGHEST_PORT:
        raise NoticeSettingsError(f"notify_smtp_port must be 1 to {HIGHEST_PORT}")
    password = _password(settings.notify_smtp_password_file)
    keep_secret([password])
    try:
        tls = tls_for(
            "notify_smtp",
            mode=settings.notify_smtp_tls,
            host=settings.notify_smtp_host,
            ca=settings.notify_smtp_ca,
        )
    except TlsError as error:
        raise NoticeSettingsError(str(error)) from error
    server = Api(
        api_id="notices",
        way=WayName.SMTP,
        host=settings.notify_smtp_host,
        port=settings.notify_smtp_port,
        timeout_seconds=MAIL_SECONDS,
        login_user=settings.notify_smtp_user,
        login_password=password,
    )
    return MailRoute(server=server, tls=tls, sender=settings.notify_from, recipients=recipients)


def _password(file: str) -> str:
    if not file:
        return ""
    try:
        return Path(file).read_text().rstrip("\r\n")
    except (OSError, ValueError) as error:
        words = f"notify_smtp_password_file cannot be read: {type(error).__name__}"
        raise NoticeSettingsError(words) from None


def mail_of_notice(notice: AccountNotice, route: MailRoute) -> bytes:
    """The octets. The Message-ID is the notice's id: the same in every attempt."""
    balance, bound = map(amount_from_units, (notice.balance, notice.notify_below))
    account = _printable(notice.account)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = route.sender
    mail["To"] = ", ".join(route.recipients)
    mail["Date"] = format_datetime(notice.at)
    name = re.sub(r"[^A-Za-z0-9]", "-", notice.notice_id)[:64]
    mail["Message-ID"] = f"<{name}@{route.sender.partition('@')[2]}>"
    mail["Subject"] = f"Two-way: the balance of {account} is below {bound} credits"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 5: nobody's absence answers it
    mail.set_content(
        f"The account {account} has {balance} credits, below the {bound} of which you asked to be"
        f" told.\nIt passed below at {notice.at:%Y-%m-%d %H:%M:%S} UTC, with entry"
        f" {notice.sequence} of its ledger.\n\nIn mode hold, messages wait without credits. How it"
        f" stands now: twoway account show {account}\n",
        cte="quoted-printable",
    )
    return mail.as_bytes()


def _printable(text: str) -> str:
    """A name without what could end a header."""
    return "".join(each if each.isprintable() else "?" for each in text)[:64]
