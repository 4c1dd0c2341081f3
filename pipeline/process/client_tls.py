"""TLS for connections that we open: checked by default, left out only by a setting."""

from __future__ import annotations

import ipaddress
import ssl
from typing import Final

MODES: Final = ("on", "off", "plain")


class TlsError(ValueError):
    """The settings cannot be used; the words say which and why, without a secret."""


def tls_for(way: str, *, mode: str, host: str, ca: str) -> ssl.SSLContext | None:
    """A TLS context (1.2 or later, names checked) for the settings of `way`; raises `TlsError`.

    None if TLS is not used: with mode off, to loopback only, or with mode plain.
    """
    if mode not in MODES:
        raise TlsError(f"{way}_tls must be one of {', '.join(MODES)}")
    if mode == "on":
        try:
            context = ssl.create_default_context(cafile=ca or None)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"{way}_ca: {error}") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
    if mode == "off" and not _is_loopback(host):
        raise TlsError(
            f"{way}_tls = off works only to loopback: the password would cross the network without"
            f" TLS ({way}_tls = plain allows that)"
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
