"""The requests of an upload to an FTP server, each within the time that is left."""

from __future__ import annotations

import ftplib
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pipeline.peer.ftp import bounds
from pipeline.peer.ftp.connection import (
    CODEC,
    NOT_UNDERSTOOD,
    FtpConnection,
    end_tls,
    in_words,
    interrupt,
    log_in,
)
from pipeline.peer.ftp.trouble import LoginRefused, Trouble
from pipeline.process.peer_words import peer_words

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from pipeline.sender.apis.api import Api

_NO_SUCH_FILE: Final = "550"


class UploadRefused(Exception):
    """The server answered that it does not do this; the words are the server's."""

    def __init__(self, words: str) -> None:
        super().__init__(peer_words(words))
        self.code = words[:3]
        self.is_temporary = words.startswith("4")


class UploadServer:
    """A connection that is logged in while `connected`; another thread may `abort` it."""

    def __init__(self, api: Api, *, tls: ssl.SSLContext | None) -> None:
        self._api = api
        self._tls = tls
        self._connection: FtpConnection | None = None
        self._data: socket.socket | None = None
        self._deadline = 0.0

    @contextmanager
    def connected(self, deadline: float) -> Iterator[UploadServer]:
        """Connect and enter the API's folder; raises `Trouble`. `deadline`: of `time.monotonic`."""
        self._deadline = deadline
        connection = self._connection = FtpConnection(self._tls)
        try:
            with self._in_words("unreachable"):
                connection.timeout = min(bounds.CONNECT_SECONDS, self._left())
                connection.connect(self._api.host, self._api.port)
            with self._in_words("untrusted" if self._tls else "broken"):
                self._set_timeout()
                user = self._api.login_user or self._api.api_id
                log_in(connection, user, self._api.login_password or self._api.password)
            self._said("TYPE I")
            if self._api.folder and not self._said(f"CWD {self._api.folder}"):
                raise LoginRefused("the server has no such folder for us")
            yield self
            with suppress(OSError, EOFError, ValueError, ftplib.Error, Trouble):
                self._set_timeout()
                connection.quit()
        finally:
            self._connection = None
            connection.close()

    def abort(self) -> None:
        """End the work of another thread here: that thread gets a `Trouble`."""
        interrupt(self._connection, self._data)

    def noop(self) -> str:
        """The server's answer to NOOP."""
        with self._in_words():
            return peer_words(self._in_use().sendcmd("NOOP"))

    def make_folder(self, name: str) -> None:
        """Make the folder; a server refuses if it exists, so a refusal says nothing."""
        self._said(f"MKD {name}")

    def store(self, name: str, octets: bytes, *, may_write: Callable[[], bool]) -> bool:
        """Store a file; False: `may_write` said no, right before the first octet.

        Raises `UploadRefused`, or `Trouble` if the answer to the whole file was not read.
        """
        with self._in_words(), self._answered():
            data = self._data = self._in_use().transfercmd(f"STOR {name}")
            try:
                data.settimeout(self._left())
                if is_permitted := may_write():
                    data.sendall(octets)
                    end_tls(data)
            finally:
                data.close()
                self._data = None
            self._set_timeout()
            self._in_use().voidresp()
        return is_permitted

    def rename(self, name: str, into: str, *, may_write: Callable[[], bool]) -> bool:
        """Give a file its final name; False: `may_write` said no. Raises as `store`."""
        with self._in_words(), self._answered():
            self._in_use().sendcmd(f"RNFR {name}")
            if not may_write():
                return False
            self._set_timeout()
            self._in_use().voidcmd(f"RNTO {into}")
        return True

    def delete(self, name: str) -> None:
        """Delete the file, if it exists."""
        with suppress(Trouble):
            self._said(f"DELE {name}")

    def size(self, name: str) -> int | None:
        """The answer to SIZE; None if the server does not say."""
        with self._in_words():
            self._set_timeout()
            try:
                return self._in_use().size(name)
            except (ftplib.error_perm, ftplib.error_temp):
                return None

    def has(self, name: str) -> bool:
        """Whether there is a file of that name: by MLST (RFC 3659 7), SIZE or NLST."""
        for command in ("MLST", "SIZE"):
            with self._in_words():
                self._set_timeout()
                try:
                    self._in_use().sendcmd(f"{command} {name}")
                except ftplib.error_perm as error:
                    if str(error).startswith(_NO_SUCH_FILE):
                        return False
                    if not str(error).startswith(NOT_UNDERSTOOD):
                        raise
                else:
                    return True
        folder, _, base = name.rpartition("/")
        return base in self._names(folder)

    def _names(self, folder: str) -> set[str]:
        octets = bytearray()
        with self._in_words():
            self._set_timeout()
            try:
                data = self._data = self._in_use().transfercmd(f"NLST {folder}".strip())
            except ftplib.error_perm as error:  # so some servers say that there is no file
                if str(error).startswith(_NO_SUCH_FILE):
                    return set()
                raise
            try:
                data.settimeout(self._left())
                while block := data.recv(bounds.BLOCK_OCTETS):
                    octets += block
                    if len(octets) > bounds.LISTED_OCTETS:
                        raise Trouble("broken", f"a list of over {bounds.LISTED_OCTETS} octets")
                    data.settimeout(self._left())
                end_tls(data)
            finally:
                data.close()
                self._data = None
            self._set_timeout()
            self._in_use().voidresp()
        lines = bytes(octets).decode(CODEC).splitlines()
        return {line.strip("\r").rpartition("/")[2] for line in lines}

    def _in_words(self, kind: str = "broken") -> AbstractContextManager[None]:
        return in_words(kind, seconds=self._api.timeout_seconds)

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """Turn a refusal by a whole answer into `UploadRefused`: the connection did not fail."""
        self._set_timeout()
        try:
            yield
        except (ftplib.error_perm, ftplib.error_temp) as error:
            raise UploadRefused(str(error)) from error

    def _said(self, command: str) -> bool:
        """Whether the server did it."""
        with self._in_words():
            self._set_timeout()
            try:
                self._in_use().voidcmd(command)
            except (ftplib.error_perm, ftplib.error_temp):
                return False
        return True

    def _in_use(self) -> FtpConnection:
        if self._connection is None:
            raise Trouble("broken", "the connection was ended")
        return self._connection

    def _set_timeout(self) -> None:
        """Set the time-out of the next answer, and of the next connection."""
        connection = self._in_use()
        connection.timeout = self._left()
        if connection.sock is not None:
            connection.sock.settimeout(connection.timeout)

    def _left(self) -> float:
        """The seconds that are left; raises `TimeoutError` if there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
