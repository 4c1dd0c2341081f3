"""HTTP to an application: the guide's forms by GET and POST (G8.3), or signed JSON.

A status of 2xx is success. A redirect is a failure: only the operator may say where messages go.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import ssl
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit
from weakref import WeakSet

from aiohttp import (
    ClientError,
    ClientRequest,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from yarl import URL

from pipeline.delivery.addresses import GuardedResolver
from pipeline.delivery.forms import NotHandedOn, event_of, form_of
from pipeline.delivery.way import Seen
from pipeline.process.peer_words import peer_words, words_of_error
from pipeline.records import ReplyWay
from pipeline.web.beginning import beginning_of
from pipeline.web.retry_after import seconds_from_header
from pipeline.wire import webhook

if TYPE_CHECKING:
    from aiohttp import ClientResponse
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection

    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.delivery.secrets_file import Credentials
    from pipeline.records import Record, ReplyPath

log = logging.getLogger("twoway.deliver")

LARGEST_ANSWER: Final = 4 * 1024
CONNECT_SECONDS: Final = 10.0
#: Servers close idle connections after 5 s and more.
IDLE_SECONDS: Final = 2.0
#: The status says that it is taken: the body is only read so that the connection can be kept.
BODY_SECONDS: Final = 1.0
#: A connection that was kept may have been closed meanwhile: the next one is tried at once.
STALE_AT_MOST: Final = 3
FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_THROTTLED: Final = frozenset((429, 503))
_GET: Final = frozenset((ReplyWay.HTTP_GET.value, ReplyWay.XML_GET.value, ReplyWay.SOAP_GET.value))


#: Whether the request of this task went by a connection that had one before.
by_kept_connection: Final[ContextVar[bool]] = ContextVar("by_kept_connection", default=False)
_used: Final[WeakSet[ResponseHandler]] = WeakSet()


class NotingRequest(ClientRequest):
    """A request that notes whether its connection was kept. aiohttp's traces cost much more."""

    async def send(self, conn: Connection) -> ClientResponse:
        protocol = conn.protocol
        if protocol is not None:
            by_kept_connection.set(protocol in _used)
            _used.add(protocol)
        return await super().send(conn)


class HttpReplyWay:
    """One path by HTTP; with `shows` the result has the octets of request and answer."""

    def __init__(self, path: ReplyPath, credentials: Credentials, *, shows: bool = False) -> None:
        self._path = path
        self._credentials = credentials
        self._shows = shows
        self._is_get = path.way in _GET
        self._url = URL(path.url, encoded=True)
        self._separator = b"&" if self._url.raw_query_string else b"?"
        self._session: ClientSession | None = None
        self._login = _basic_auth(credentials)

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Send a record; return what was seen."""
        if self._path.way == ReplyWay.WEBHOOK and not self._credentials.keys:
            return Seen(is_delivered=False, words="reply-secrets.toml has no secret for this path")
        try:
            payload = self._payload(record)
        except NotHandedOn as error:
            return Seen(is_delivered=False, words=str(error))
        try:
            async with asyncio.timeout(self._path.timeout_seconds):
                return await self._call(payload, order.subject_id)
        except TimeoutError:
            return Seen(
                is_delivered=False, words=f"no answer within {self._path.timeout_seconds} s"
            )
        except (ClientError, OSError, ValueError) as error:
            cause = getattr(error, "os_error", None) or error
            words = words_of_error(cause) or type(error).__name__
            return Seen(is_delivered=False, words=words)

    async def close(self) -> None:
        """End the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _payload(self, record: Record) -> bytes:
        if self._path.way == ReplyWay.WEBHOOK:
            return event_of(record)
        return form_of(self._path, record)

    async def _call(self, payload: bytes, message_id: str) -> Seen:
        is_json = self._path.way == ReplyWay.WEBHOOK
        headers = dict(self._login)
        if not self._is_get:
            headers["Content-Type"] = JSON if is_json else FORM
        if self._credentials.keys:
            headers |= webhook.headers_of(
                self._credentials.keys,
                message_id=message_id,
                timestamp=int(time.time()),
                payload=payload,
            )
        url, body = self._url, payload
        if self._is_get:
            joined = self._path.url.encode() + self._separator + payload
            url, body = URL(joined.decode("ascii"), encoded=True), b""
        for left in range(STALE_AT_MOST, 0, -1):
            by_kept_connection.set(False)
            try:
                async with self._open().request(
                    "GET" if self._is_get else "POST",
                    url,
                    data=None if self._is_get else body,
                    headers=headers,
                    allow_redirects=False,
                ) as response:
                    return await self._seen(response, payload)
            except (ClientError, OSError):
                if not by_kept_connection.get() or left == 1:
                    raise
        raise AssertionError

    async def _seen(self, response: ClientResponse, payload: bytes) -> Seen:
        """The result of an answer: 2xx is success, whatever the body is."""
        is_delivered = 200 <= response.status < 300
        octets = b""
        if not is_delivered:
            octets, _ = await beginning_of(response, octets=LARGEST_ANSWER)
        elif not response.content.at_eof():
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    octets, _ = await beginning_of(response, octets=LARGEST_ANSWER)
            except (TimeoutError, ClientError, OSError, ValueError):
                response.close()
        status = f"{response.status:03d}"
        words = ""
        if not is_delivered:
            said = octets.decode("utf-8", "replace")
            words = peer_words(f"{response.reason or ''}: {said}".strip(": "))
        sent = b"" if self._is_get else payload
        retry_after = seconds_from_header(response.headers.get("Retry-After", ""), now=time.time())
        return Seen(
            is_delivered=is_delivered,
            status=status,
            words=words,
            retry_after_seconds=0 if is_delivered else retry_after,
            is_throttled=response.status in _THROTTLED,
            sent=_request_octets(response, sent) if self._shows else b"",
            received=_response_octets(response, octets) if self._shows else b"",
        )

    def _open(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                request_class=NotingRequest,
                connector=TCPConnector(
                    limit=0,
                    keepalive_timeout=IDLE_SECONDS,
                    resolver=GuardedResolver(may_be_internal=self._path.internal),
                    ssl=_tls_of(self._path),
                ),
                cookie_jar=DummyCookieJar(),
                auto_decompress=False,  # 4 KiB can be many megabytes
                headers={"Accept-Encoding": "identity", "User-Agent": "two-way"},
                timeout=ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            )
        return self._session


def _basic_auth(credentials: Credentials) -> dict[str, str]:
    """The header of Basic authentication (RFC 7617), if the path has a user."""
    if not credentials.user:
        return {}
    pair = f"{credentials.user}:{credentials.password}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _tls_of(path: ReplyPath) -> ssl.SSLContext | bool:
    """TLS 1.2 or later with the certificate checked, unless the path says `encrypt-only`."""
    if urlsplit(path.url).scheme != "https":
        return True
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if path.tls == "encrypt-only":
        log.warning("%s: the certificate is not checked (tls = encrypt-only)", path.name)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _request_octets(response: ClientResponse, body: bytes) -> bytes:
    """The request as it was sent: aiohttp keeps the request line and the headers."""
    request = response.request_info
    head = [f"{request.method} {request.url.raw_path_qs} HTTP/1.1"]
    head += [f"{name}: {_shown(name, value)}" for name, value in request.headers.items()]
    return "\r\n".join([*head, "", ""]).encode() + body


def _response_octets(response: ClientResponse, body: bytes) -> bytes:
    """The answer as it came, without the framing of chunks."""
    version = response.version
    number = f"{version.major}.{version.minor}" if version else "1.1"
    head = [f"HTTP/{number} {response.status} {response.reason or ''}".encode()]
    head += [name + b": " + value for name, value in response.raw_headers]
    return b"\r\n".join([*head, b"", b""]) + body


def _shown(name: str, value: str) -> str:
    return "[secret]" if name.lower() == "authorization" else value
