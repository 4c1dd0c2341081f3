"""What the settings say of the bind: with what, as what, and how the connection is guarded."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.wire import smpp_bind
from pipeline.wire.smpp_bind import Bind
from pipeline.wire.smpp_callback import ALPHABETS
from pipeline.wire.smpp_pdu import Command

if TYPE_CHECKING:
    from pipeline.settings import Settings

_COMMANDS: Final = {
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
_TLS: Final = ("on", "off", "plain")


class SmppError(ValueError):
    """The settings cannot be used; the words say which and why, and hold no secret."""


def bind_from_settings(settings: Settings) -> tuple[Command, Bind]:
    """How and with what to bind; raises `SmppError`."""
    command = _COMMANDS.get(settings.smpp_bind)
    if command is None:
        raise SmppError(f"smpp_bind must be one of {', '.join(_COMMANDS)}")
    if settings.smpp_default_alphabet not in ALPHABETS:
        raise SmppError(f"smpp_default_alphabet must be one of {', '.join(ALPHABETS)}")
    if not settings.smpp_host or not settings.smpp_system_id:
        raise SmppError("smpp_host and smpp_system_id must be set")
    if settings.smpp_window < 1 or settings.smpp_enquire_seconds <= 0:
        raise SmppError("smpp_window and smpp_enquire_seconds must be above 0")
    bind = Bind(
        system_id=settings.smpp_system_id,
        password=settings.smpp_password,
        system_type=settings.smpp_system_type,
    )
    if fault := smpp_bind.fault_of(bind):
        raise SmppError(f"smpp_{fault}")
    return command, bind


def tls_from_settings(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or later, names checked; raises `SmppError` for plain octets over a network."""
    if settings.smpp_tls not in _TLS:
        raise SmppError(f"smpp_tls must be one of {', '.join(_TLS)}")
    if settings.smpp_tls == "on":
        try:
            context = ssl.create_default_context(
                cafile=str(Path(settings.smpp_ca)) if settings.smpp_ca else None
            )
        except (OSError, ssl.SSLError) as error:
            raise SmppError(f"smpp_ca: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    if settings.smpp_tls == "off" and not _is_loopback(settings.smpp_host):
        raise SmppError(
            "smpp_tls = off binds to loopback only: the password would cross the network as it is"
            " (smpp_tls = plain does so all the same)"
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
