"""What keeps a page of another site from using a browser to call us.

A browser says who asks (`Sec-Fetch-Site`, `Origin`), or at least by which name it was sent here
(`Host`). A gateway, a proxy or a program sends neither of the first two and is never refused by
them. `deploy/decisions/0080` says why so.
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
    """The HTTP status, why, and the headers that go with it."""

    status: int
    words: str
    headers: tuple[tuple[str, str], ...] = ()


BAD_HOST: Final = BrowserRefusal(400, "the Host is not a name or address and a port (RFC 9112 3.2)")
OTHER_SITE: Final = BrowserRefusal(403, "a page of another site may not call here")
OTHER_NAME: Final = BrowserRefusal(
    403,
    "this name is not one of this machine's: ask by 127.0.0.1, or set host_names"
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
    """None unless a browser says that a page of another site or another port asks."""
    if fetch_site.strip().lower() not in _OWN_SITE:
        return OTHER_SITE
    if not origin:
        return None
    scheme, authority = _scheme_and_authority(origin)
    return None if authority and authority == _shortest(host, scheme) else OTHER_SITE


def refuse_host(host: bytes, *, known: frozenset[str]) -> BrowserRefusal | None:
    """None where a caller that only its address lets in asks by a name of this machine.

    A page whose name was made to point here sends that name. No Host is no browser.
    """
    if not host:
        return None
    name = host_name_of(host)
    if name is None:
        return BAD_HOST
    return None if name in known or is_loopback_name(name) else OTHER_NAME


def _scheme_and_authority(origin: bytes) -> tuple[bytes, bytes]:
    """Of an origin such as `https://name:port` (RFC 6454 6.2); `null` has no authority."""
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
