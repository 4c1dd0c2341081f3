"""Checks the settings of the poller, and makes the FTP client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.ftp.client import FtpClient
from pipeline.process.client_tls import TlsError, tls_for

if TYPE_CHECKING:
    from pipeline.settings import Settings


class FtpError(ValueError):
    """The settings cannot be used; the message says which and why, without a secret."""


def check_settings(settings: Settings) -> None:
    """Raises `FtpError` for settings that cannot be used."""
    if not settings.ftp_host or not settings.ftp_user:
        raise FtpError("ftp_host and ftp_user must be set")
    if not settings.ftp_path.rpartition("/")[2]:
        raise FtpError("ftp_path must name a file")
    if settings.ftp_poll_seconds <= 0:
        raise FtpError("ftp_poll_seconds must be above 0")
    for name in ("ftp_path", "ftp_user", "ftp_password"):
        if set(getattr(settings, name)) & set("\r\n\0"):
            raise FtpError(f"{name} must be one line")


def server_from_settings(settings: Settings) -> FtpClient:
    """The FTP client, with TLS as the settings say; raises `FtpError`."""
    try:
        tls = tls_for("ftp", mode=settings.ftp_tls, host=settings.ftp_host, ca=settings.ftp_ca)
    except TlsError as error:
        raise FtpError(str(error)) from error
    return FtpClient(settings, tls=tls)
