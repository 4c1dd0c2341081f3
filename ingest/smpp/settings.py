"""Checks the settings of the receiver, and makes the bind and the TLS context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.process.client_tls import TlsError, tls_for
from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp.bind import Bind
from pipeline.wire.smpp.coding import ALPHABETS
from pipeline.wire.smpp.pdu import Command

if TYPE_CHECKING:
    import ssl

    from pipeline.settings import Settings

_COMMANDS: Final = {
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}


class SmppError(ValueError):
    """The settings cannot be used; the message says which and why, without a secret."""


def bind_from_settings(settings: Settings) -> tuple[Command, Bind]:
    """The bind command and its parameters; raises `SmppError`."""
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


def client_tls_from_settings(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context of the connection, None for none; raises `SmppError`."""
    try:
        return tls_for("smpp", mode=settings.smpp_tls, host=settings.smpp_host, ca=settings.smpp_ca)
    except TlsError as error:
        raise SmppError(str(error)) from error
