"""Keeps a page of another site from calling us through a user's browser.

A browser says which site asks (`Sec-Fetch-Site`, `Origin`), or at least which name it called
(`Host`). A gateway, a proxy or a program does not send the first two headers, so these two never
refuse it (`deploy/decisions/0080`).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

LONGEST_HOST: Final = 262  # octets: a name of 253 (RFC 1035 2.3.4), a dot, a colon and a port
_MOST_PORT: Final = 65_535
_DEFAULT_PORTS: Final = {b"http": b"80", b"https": b"443"}
_OWN_SITE: Final = frozenset({b"", b"none", b"same-origin"})


@dataclass(frozen=True, slots=True)
class BrowserRefusal:
    """A refusal: the HTTP status, the reason in words, and further headers."""

    status: int
    words: str
    headers: tuple[tuple[str, str], ...] = ()


BAD_HOST: Final = BrowserRefusal(400, "the Host is not a name or address and a port (RFC 9112 3.2)")
OTHER_SITE: Final = BrowserRefusal(403, "a page of another site may not call here")
OTHER_NAME: Final = BrowserRefusal(
    403,
    "this name does not belong to this machine: call 127.0.0.1, or set host_names"
    " (TWOWAY_HOST_NAMES), or use a token",
)


def host_name_of(host: bytes) -> str | None:
    """The lower-case name or address in a Host; None where it is malformed (RFC 9110 7.2)."""
    if len(host) > LONGEST_HOST or not host.isascii():
        return None
    name, found, port = host.rpartition(b":")
    if not found or b"]" in port:  # no port, but the colons of an IPv6 address
        name, port = host, b""
    if port and not (port.isdigit() and len(port) <= 5 and int(port) <= _MOST_PORT):
        return None
    text = name.decode("ascii").lower()
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1] if _is_address(text[1:-1]) else None
    is_name = all(character.isalnum() or character in "-._" for character in text)
    return text.removesuffix(".") if is_name and text else None


def is_loopback_name(name: str) -> bool:
    """Whether a name or address always means this machine (RFC 6761 6.3)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ip_address(name).is_loopback


def refuse_page(*, host: bytes, origin: bytes, fetch_site: bytes) -> BrowserRefusal | None:
    """A refusal if a browser says that a page of another site or port asks, else None."""
    if fetch_site.strip().lower() not in _OWN_SITE:
        return OTHER_SITE
    if not origin:
        return None
    scheme, authority = _scheme_and_authority(origin)
    return None if authority and authority == _shortest(host, scheme) else OTHER_SITE


def refuse_host(host: bytes, *, known: frozenset[str]) -> BrowserRefusal | None:
    """A refusal if the Host is no name of this machine, for callers without credentials.

    An attacker's domain name may point at this machine; then a browser sends that name. A request
    without a Host does not come from a browser, and is not refused.
    """
    if not host:
        return None
    name = host_name_of(host)
    if name is None:
        return BAD_HOST
    return None if name in known or is_loopback_name(name) else OTHER_NAME


def _scheme_and_authority(origin: bytes) -> tuple[bytes, bytes]:
    """Scheme and authority of an origin such as `https://name:port` (RFC 6454 6.2).

    The origin `null` has no authority.
    """
    scheme, _, authority = origin.strip().lower().partition(b"://")
    return scheme, _shortest(authority, scheme)


def _shortest(authority: bytes, scheme: bytes) -> bytes:
    return authority.strip().lower().removesuffix(b":" + _DEFAULT_PORTS.get(scheme, b"-"))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
