"""Whether an address of `apis.toml` is one, before anything is sent to it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

HIGHEST_PORT: Final = 65_535
_LONGEST_NAME: Final = 253  # RFC 1035 2.3.4, written with dots
_LONGEST_LABEL: Final = 63


def fault_of_url(url: str) -> str:
    """What is wrong with the address of a gateway, as words to put behind its name; empty: nothing.

    The words hold nothing of the address, which may have a password in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # of brackets, or of the port
        return "is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must begin with https:// or http:// and name a host"
    if parts.username or parts.password:
        return "must hold no user and no password"
    if port == 0 or " " in url or not url.isascii() or not is_host(parts.hostname):
        return "is no address"
    if "?" in url or "#" in url:
        return "must end with the host, the port or a path"
    return ""


def is_host(host: str) -> bool:
    """Whether it is a name of labels of at most 63 characters, or an address."""
    labels = host.removesuffix(".").split(".")
    return (
        len(host) <= _LONGEST_NAME
        and " " not in host
        and all(0 < len(each) <= _LONGEST_LABEL for each in labels)
    )
