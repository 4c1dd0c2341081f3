"""Who may call: loopback, or an address of the allow-list, or a caller with credentials."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import ipaddress
import re
from base64 import b64decode
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from pipeline.web.browser_guard import BrowserRefusal, refuse_host

if TYPE_CHECKING:
    from pipeline.settings import Settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

TOKEN_PATH: Final = b"/t/"
OTHER_SIGNS: Final = ("Forwarded", "X-Real-IP", "Via")
"""Headers that a proxy adds (RFC 7239, RFC 9110 7.6.3), beside X-Forwarded-For."""
_PORT: Final = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")  # RFC 7239 6: address and port
LONGEST_ADDRESS: Final = 64  # a longer text is no address, and is not kept in the cache


class AccessError(ValueError):
    """The settings would let anybody call, or cannot be read; the words say which and why."""


FORBIDDEN: Final = BrowserRefusal(403, "this address or token may not call here")
FORWARDED: Final = BrowserRefusal(
    403,
    "a proxy that is not listed forwarded this request: name the proxy in trusted_proxies"
    " (TWOWAY_TRUSTED_PROXIES), and let the proxy set X-Forwarded-For",
)
UNAUTHORISED: Final = BrowserRefusal(
    401, "a user and password are needed", (("WWW-Authenticate", 'Basic realm="twoway"'),)
)


@dataclass(frozen=True, slots=True)
class PathSecret:
    """A path without its token, and the token. The token is never logged or stored."""

    path: bytes
    token: bytes | None


def path_from_octets(octets: bytes) -> PathSecret:
    """Splits `/t/<token>/mo/http` into `/mo/http` and the percent-decoded token."""
    if not octets.startswith(TOKEN_PATH):
        return PathSecret(octets, None)
    token, _, rest = octets.removeprefix(TOKEN_PATH).partition(b"/")
    return PathSecret(b"/" + rest, unquote_to_bytes(token))


def ip_from_text(text: str) -> Address | None:
    """The address, a mapped IPv4 one as IPv4, without port; None when it is none."""
    return _cached(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(maxsize=4096)
def _cached(text: str) -> Address | None:
    with_port = _PORT.fullmatch(text.strip())
    if with_port:
        text = with_port[1] or with_port[2]
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _listed(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _networks(text: str, *, setting: str) -> list[Network]:
    try:
        return [ipaddress.ip_network(item) for item in _listed(text)]
    except ValueError as error:
        raise AccessError(f"{setting}: {error}") from error


def _digests(secrets: list[str]) -> list[bytes]:
    return [hashlib.sha256(secret.encode()).digest() for secret in secrets]


def _is_one_of(given: bytes, digests: list[bytes]) -> bool:
    """Whether `given` has one of the digests. All are compared, in constant time."""
    digest = hashlib.sha256(given).digest()
    return sum(hmac.compare_digest(digest, known) for known in digests) > 0


def is_loopback_host(host: str) -> bool:
    """Whether only this machine can reach a service that listens on `host`."""
    address = ip_from_text(host)
    return host == "localhost" or (address is not None and address.is_loopback)


class Access:
    """The access rules. If an allow-list and credentials are both set, a caller needs both."""

    def __init__(self, settings: Settings, *, asks_for_users: bool = False) -> None:
        """`asks_for_users`: callers sign in elsewhere, so addresses alone are looked at here."""
        tokens, pairs = _listed(settings.tokens), _listed(settings.basic_auth)
        if any(":" not in pair for pair in pairs):
            raise AccessError("basic_auth: each entry is user:password")
        if asks_for_users:
            tokens, pairs = [], []
        self._asks_for_users = asks_for_users
        self._tokens = _digests(tokens)
        self._passwords = _digests(pairs)
        self._allowed = _networks(settings.allow, setting="allow")
        self._proxies = _networks(settings.trusted_proxies, setting="trusted_proxies")
        self._names = frozenset(name.lower() for name in _listed(settings.host_names)) | {
            settings.http_host.lower()
        }
        self._is_guarded = bool(tokens or pairs or self._allowed or asks_for_users)
        if not self._is_guarded and not is_loopback_host(settings.http_host):
            raise AccessError(
                f"{settings.http_host} is not a loopback address: set tokens, basic_auth or allow"
                " (TWOWAY_TOKENS, TWOWAY_BASIC_AUTH, TWOWAY_ALLOW), or listen on 127.0.0.1"
            )

    def caller(self, peer: str, forwarded_for: bytes) -> Address | None:
        """The caller's address: the peer's, or the one a listed proxy states; None if invalid.

        It is the right-most address that is not a listed proxy. A caller can forge all addresses to
        the left of it.
        """
        address = ip_from_text(peer)
        hops = [hop.strip() for hop in forwarded_for.decode("latin-1").split(",") if hop.strip()]
        while hops and address is not None and self._is_proxy(address):
            hop = hops.pop()
            address = ip_from_text(hop)
        return address

    def _is_proxy(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)

    def refuse(
        self,
        *,
        peer: str,
        forwarded_for: bytes,
        token: bytes | None,
        authorization: bytes,
        other_signs: bytes = b"",
        host: bytes = b"",
    ) -> BrowserRefusal | None:
        """None if the caller may call, else the refusal. A wrong token is always refused.

        `other_signs` are the values of the headers `OTHER_SIGNS`. The address that a listed proxy
        states counts. A forwarded request never counts as loopback. If no allow-list is set, a
        known token or password is enough, also through a proxy that is not listed.
        """
        if token is not None and self._tokens and not _is_one_of(token, self._tokens):
            return FORBIDDEN
        address = self.caller(peer, forwarded_for)
        direct = ip_from_text(peer)
        if address is None or direct is None:
            return FORBIDDEN
        is_known = (
            self._asks_for_users
            or (self._tokens and token is not None)
            or (self._passwords and _is_one_of(_basic(authorization), self._passwords))
        )
        is_forwarded = bool(forwarded_for or other_signs)
        if is_forwarded and not (forwarded_for and self._is_proxy(direct)):
            if self._allowed or not is_known:  # only the proxy's address would let it in
                return FORWARDED
        elif direct.is_loopback and not is_forwarded:
            return None if is_known else refuse_host(host, known=self._names)
        if not self._is_guarded:  # behind a listed proxy, and no credentials or list are set
            return FORBIDDEN
        if self._allowed and not any(address in network for network in self._allowed):
            return FORBIDDEN
        if is_known or not (self._tokens or self._passwords):
            return None
        return UNAUTHORISED if self._passwords else FORBIDDEN


def _basic(authorization: bytes) -> bytes:
    """`user:password` in the header; empty if the header has another form (RFC 7617 2)."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return b""
