"""Appends lines to `mo.log` at an FTP server (G8.3.2) by APPE (RFC 959 4.1.3).

APPE is not idempotent: after a lost answer the line may be there twice, with the same moMsgId.
"""

from __future__ import annotations

import asyncio
import ftplib
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from pipeline.delivery.addresses import address_of
from pipeline.delivery.forms import NotHandedOn, line_of
from pipeline.delivery.way import Seen
from pipeline.peer.ftp.connection import FtpConnection, end_tls, log_in
from pipeline.peer.ftp.trouble import Trouble
from pipeline.process.peer_words import peer_words, words_of_error

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.delivery.secrets_file import Credentials
    from pipeline.records import Record, ReplyPath

PORT: Final = 21
IDLE_SECONDS: Final = 30.0
ANONYMOUS: Final = "anonymous"


class FtpReplyWay:
    """One path to an FTP server; the connection is kept while it is in use."""

    def __init__(self, path: ReplyPath, credentials: Credentials) -> None:
        self._path = path
        self._credentials = credentials
        self._address = urlsplit(path.url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"ftp-{path.name}")
        self._connection: FtpConnection | None = None
        self._used_at = 0.0

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Append a line; return what was seen."""
        try:
            line = line_of(self._path, record)
        except NotHandedOn as error:
            return Seen(is_delivered=False, words=str(error))
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + self._path.timeout_seconds
        try:
            said = await loop.run_in_executor(self._thread, self._append, line, deadline)
        except TimeoutError:
            return self._failed(f"no answer within {self._path.timeout_seconds} s")
        except (ftplib.error_perm, ftplib.error_temp) as error:
            return self._failed(peer_words(str(error)[4:]), status=str(error)[:3])
        except (OSError, EOFError, ValueError, ftplib.Error, Trouble) as error:
            return self._failed(words_of_error(error) or type(error).__name__)
        return Seen(
            is_delivered=True,
            status=said[:3],
            sent=line,
            received=said.encode("latin-1", "replace"),
        )

    async def close(self) -> None:
        """End the connection, without waiting for a server that hangs."""
        self._drop()
        self._thread.shutdown(wait=False)

    def _failed(self, words: str, *, status: str = "") -> Seen:
        self._drop()
        return Seen(is_delivered=False, status=status, words=words)

    def _append(self, line: bytes, deadline: float) -> str:
        connection = self._connected(deadline)
        self._wait_at_most(connection, deadline)
        data = connection.transfercmd(f"APPE {self._name()}")
        try:
            data.settimeout(_left(deadline))
            data.sendall(line)
            end_tls(data)
        finally:
            data.close()
        self._wait_at_most(connection, deadline)
        said = connection.voidresp()
        self._used_at = time.monotonic()
        return said

    def _connected(self, deadline: float) -> FtpConnection:
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_SECONDS:
            self._drop()
        if self._connection is not None:
            try:
                self._wait_at_most(self._connection, deadline)
                self._connection.voidcmd("NOOP")
            except (OSError, EOFError, ValueError, ftplib.Error, Trouble):
                self._drop()
            else:
                return self._connection
        host, port = self._address.hostname or "", self._address.port or PORT
        address_of(host, port, may_be_internal=self._path.internal)
        connection = self._connection = FtpConnection(self._tls())
        connection.timeout = _left(deadline)
        connection.connect(host, port)
        self._wait_at_most(connection, deadline)
        log_in(
            connection,
            self._credentials.user or ANONYMOUS,
            self._credentials.password or ANONYMOUS,
        )
        connection.voidcmd("TYPE I")
        return connection

    def _name(self) -> str:
        """The log's name at the server; raises `ValueError`, as a line end begins a command."""
        name = unquote(self._address.path).lstrip("/")
        if any(character < " " for character in name):
            raise ValueError("the name of the log has control characters")
        return name

    def _tls(self) -> ssl.SSLContext | None:
        if self._address.scheme != "ftps":
            return None
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._path.tls == "encrypt-only":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _wait_at_most(self, connection: FtpConnection, deadline: float) -> None:
        connection.timeout = _left(deadline)
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.close()


def _left(deadline: float) -> float:
    """The seconds until the deadline; raises `TimeoutError` if there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
