"""The SMPP server at which applications bind for their reply paths."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import ssl
from collections import Counter
from typing import TYPE_CHECKING, Final

from pipeline.delivery.smpp.session import EsmeSession

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Mapping

    from pipeline.delivery.secrets_file import Credentials
    from pipeline.settings import Settings
    from pipeline.wire.smpp.bind import Bind

#: Connections at a time, bound or not.
MOST_CONNECTIONS: Final = 256


class DoorError(ValueError):
    """The settings cannot be used; the message says which and why."""


class SmppDoor:
    """An SMPP server; the sessions of a path get deliveries in turn."""

    def __init__(self, credentials: Mapping[str, Credentials], settings: Settings) -> None:
        """Raises `DoorError` if passwords would cross a network without TLS."""
        self._credentials = credentials
        self._host = settings.deliver_smpp_host
        self._asked_port = settings.deliver_smpp_port
        self._tls = _tls_of(settings)
        if self._asked_port and self._tls is None and not _is_loopback(self._host):
            raise DoorError("deliver_smpp_host is not loopback: set tls_cert and tls_key")
        self._server: asyncio.Server | None = None
        self._sessions: list[EsmeSession] = []
        self._asked_for: set[str] = set()
        self.port = 0

    async def start(self) -> None:
        """Listen, if the settings have a port; `port` is the port in use."""
        if self._asked_port:
            await self.listen(self._asked_port)

    async def listen(self, port: int) -> None:
        """Listen on this port; 0 is any free port."""
        self._server = await asyncio.start_server(self._connected, self._host, port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening, and end every connection."""
        if self._server is not None:
            self._server.close()
        for session in list(self._sessions):
            session.close()

    def session_of(self, path: str) -> EsmeSession | None:
        """The next session that is bound for the path; None if nobody is bound."""
        self._asked_for.add(path)
        found = next((each for each in self._sessions if each.path == path), None)
        if found is not None:
            self._sessions.remove(found)
            self._sessions.append(found)
        return found

    def sessions_bound(self) -> dict[str, int]:
        """How many sessions are bound here for each path that had something to hand on."""
        counted = Counter(each.path for each in self._sessions)
        return {path: counted[path] for path in self._asked_for}

    async def _connected(self, reader: StreamReader, writer: StreamWriter) -> None:
        if len(self._sessions) >= MOST_CONNECTIONS:
            writer.transport.abort()
            return
        session = EsmeSession(reader, writer, path_of=self._path_of)
        self._sessions.append(session)
        try:
            await session.serve()
        finally:
            self._sessions.remove(session)
            session.close()

    def _path_of(self, bind: Bind) -> str:
        """The path with this login, else empty; passwords are compared in constant time."""
        found = ""
        for name, login in self._credentials.items():
            is_user = hmac.compare_digest(bind.system_id.encode(), login.user.encode())
            is_password = hmac.compare_digest(bind.password.encode(), login.password.encode())
            if login.user and is_user and is_password:
                found = name
        return found


def _tls_of(settings: Settings) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
    except (OSError, ssl.SSLError) as error:
        raise DoorError(f"tls_cert, tls_key: {error}") from error
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
