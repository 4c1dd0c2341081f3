"""One POST to the gateway, sent at most once, and its answer, which is bounded.

aiohttp repeats idempotent methods on a connection that was dropped, and follows redirects. POST is
not repeated (RFC 9110 9.2.2), and redirects are off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from pipeline.process.client_tls import TlsError, tls_for
from pipeline.process.peer_words import words_of_error
from pipeline.sender.ways.over_http.departure import AskedRequest, Stale, departing

if TYPE_CHECKING:
    import ssl

    from aiohttp import ClientResponse

    from pipeline.sender.apis.api import Api
    from pipeline.sender.ways.over_http.departure import Departure
    from pipeline.wire.clickatell.call import GatewayCall

LARGEST_ANSWER: Final = 64 * 1024
#: Gateways close idle connections after 5 s and more. Octets that are written to a connection that
#: was just closed would have no answer.
IDLE_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 10.0


class NoAnswer(Exception):
    """The connection failed; the words may be shown."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """An answer that came whole, or that is longer than is read."""

    status: int
    octets: bytes
    is_whole: bool
    retry_after: str


class Poster:
    """Connections to one API: opened when needed, and kept while they are busy."""

    def __init__(self, api: Api) -> None:
        """Raises `TlsError` for an address that cannot be used."""
        self._api = api
        self._tls = tls_of(api)
        self._session: ClientSession | None = None

    async def post(self, call: GatewayCall, departure: Departure | None = None) -> Response:
        """The answer to one call; raises `NoAnswer`, and `PermitEnded` before anything is sent."""
        address = URL(self._api.url.rstrip("/") + call.path, encoded=True)
        departing.set(departure)
        while True:
            try:
                async with self._open().post(
                    address, data=call.octets, headers=call.headers, allow_redirects=False
                ) as response:
                    return await _response_from(response)
            except Stale:
                continue  # aiohttp has closed it: the next one kept, and then a new one
            except (ClientError, OSError, ValueError) as error:
                raise NoAnswer(words_of_error(error) or type(error).__name__) from None

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(
                    limit=0, keepalive_timeout=IDLE_SECONDS, ssl=self._tls or True
                ),
                request_class=AskedRequest,
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,  # 64 KiB can be gigabytes
                headers={"Accept-Encoding": "identity", "User-Agent": "two-way"},
                timeout=ClientTimeout(
                    total=None, sock_connect=min(CONNECT_SECONDS, self._api.timeout_seconds)
                ),
            )
        return self._session


async def _response_from(response: ClientResponse) -> Response:
    """The response with as much of its body as is read; a longer one closes the connection."""
    octets = bytearray()
    async for piece in response.content.iter_any():
        octets += piece
        if len(octets) > LARGEST_ANSWER:
            response.close()
            break
    return Response(
        status=response.status,
        octets=bytes(octets[:LARGEST_ANSWER]),
        is_whole=len(octets) <= LARGEST_ANSWER,
        retry_after=response.headers.get("Retry-After", ""),
    )


def tls_of(api: Api) -> ssl.SSLContext | None:
    """TLS for the API's address; the scheme of the address must agree with `tls`."""
    address = urlsplit(api.url)
    is_encrypted = address.scheme == "https"
    if not address.hostname or address.scheme not in ("http", "https"):
        raise TlsError("url must be https://HOST, or http://HOST with tls off or plain")
    if is_encrypted != (api.tls == "on"):
        raise TlsError(f"url begins with {address.scheme}, which tls = {api.tls} contradicts")
    return tls_for("api", mode=api.tls, host=address.hostname, ca=api.ca)
