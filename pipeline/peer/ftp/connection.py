"""A connection to an FTP server, based on ftplib (`deploy/decisions/0073` says what that lacks)."""

from __future__ import annotations

import ftplib
import socket
import ssl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pipeline.peer.ftp import bounds
from pipeline.peer.ftp.trouble import LoginRefused, Trouble
from pipeline.process.peer_words import peer_words

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The control connection carries octets. A file name is only compared, and never shown.
CODEC: Final = "latin-1"
#: RFC 959 4.2: the command is unknown, not implemented, has wrong arguments, or is not allowed now.
NOT_UNDERSTOOD: Final = ("500", "501", "502", "503", "504")

RECEIVED_OCTETS: Final = 4096
WORDS: Final = 100  # characters of what a server says
_NOT_LOGGED_IN: Final = "530"
_HIGHEST_PORT: Final = 65_535


class FtpConnection(ftplib.FTP_TLS):
    """ftplib's client, whose data connection reuses the control connection's TLS session.

    Some servers (vsftpd and FileZilla by default) refuse a transfer without this; cpython issue
    63699 is open.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(context=tls, timeout=bounds.CONNECT_SECONDS, encoding=CODEC)
        self.is_tls = tls is not None
        self._held = bytearray()  # of a reply, what was received and not read
        self._answer_by = 0.0

    def be_patient(self) -> None:
        """After the connection: wait longer for an answer, and set keep-alive on the socket."""
        self.timeout = bounds.ANSWER_SECONDS
        if self.sock is not None:
            self.sock.settimeout(bounds.ANSWER_SECONDS)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def getmultiline(self) -> str:
        """The first and the last line of a reply (RFC 959 4.2), within bounds of size and time.

        ftplib has no such bounds: it keeps any number of lines, and its time-out starts again with
        each octet.
        """
        self._answer_by = time.monotonic() + (self.timeout or bounds.ANSWER_SECONDS)
        first = self.getline()
        if first[3:4] != "-":
            return first
        octets = len(first)
        while True:
            line = self.getline()
            octets += len(line) + 2
            if octets > bounds.REPLY_OCTETS:
                raise Trouble("broken", f"a reply of over {bounds.REPLY_OCTETS} octets")
            if line[:3] == first[:3] and line[3:4] != "-":
                return f"{first}\n{line}"

    def getline(self) -> str:
        """The next line of a reply, without its end."""
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > bounds.LINE_OCTETS:
                raise Trouble("broken", f"a line of over {bounds.LINE_OCTETS} octets")
            self._held += self._receive()
        line = bytes(self._held[:end]).removesuffix(b"\r")
        del self._held[: end + 1]
        return line.decode(CODEC)

    def _receive(self) -> bytes:
        """More octets of the reply; `TimeoutError` once the time for the whole reply is over."""
        left = self._answer_by - time.monotonic()
        if self.sock is None:
            raise EOFError
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)
        try:
            octets = self.sock.recv(RECEIVED_OCTETS)
        finally:
            self.sock.settimeout(self.timeout)
        if not octets:
            raise EOFError
        return octets

    def auth(self) -> str:
        """The same as in ftplib, but refuses octets that came before TLS (RFC 4217 15.1)."""
        reply = super().auth()
        if self._held:
            raise Trouble("broken", "the server said more before TLS than it was asked")
        return reply

    def size(self, filename: str) -> int | None:
        """The answer to SIZE (RFC 3659 4); None if it is not a size."""
        reply = self.sendcmd(f"SIZE {filename}")
        said = reply[4:].split("\n")[0].strip()
        is_size = reply.startswith("213") and said.isascii() and said.isdigit()
        return int(said) if is_size and len(said) <= bounds.SIZE_DIGITS else None

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """The same as `FTP.ntransfercmd`; the data connection has TLS if the control one has."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - G8.3.2 has FTP
        if not isinstance(self.sock, ssl.SSLSocket):
            return connection, size
        try:
            wrapped = self.context.wrap_socket(
                connection, server_hostname=self.host, session=self.sock.session
            )
        except BaseException:
            connection.close()
            raise
        return wrapped, size

    def makepasv(self) -> tuple[str, int]:
        """PASV or EPSV. The address in the answer to PASV is ignored; it may be behind a NAT."""
        address, port = self._passive()
        if not 0 < port <= _HIGHEST_PORT:
            raise Trouble("broken", f"there is no port {port % 10**9}")
        return address, port

    def _passive(self) -> tuple[str, int]:
        try:
            return super().makepasv()
        except ftplib.error_perm:
            if self.af != socket.AF_INET or self.sock is None:
                raise
            reply = self.sendcmd("EPSV")
            return ftplib.parse229(reply, self.sock.getpeername())  # noqa: S321 - G8.3.2 has FTP


@contextmanager
def in_words(kind: str, *, seconds: float | None = None) -> Iterator[None]:
    """Turn a failure of the connection into a `Trouble` of that kind; an answer had `seconds`."""
    try:
        yield
    except TimeoutError as error:
        words = f"no answer within {seconds or bounds.ANSWER_SECONDS:.0f} s"
        raise Trouble("timeout", words) from error
    except ssl.SSLError as error:
        words = peer_words(str(error.reason or error))
        raise Trouble("untrusted", f"TLS failed: {words}") from error
    except OSError as error:
        raise Trouble(kind, peer_words(str(error.strerror or error))) from error
    except EOFError as error:
        raise Trouble("broken", "the server ended the connection") from error
    except (ftplib.Error, ValueError, ArithmeticError) as error:
        words = peer_words(str(error), limit=WORDS)
        raise Trouble("broken", f"the server said {words!r}") from error


def log_in(
    connection: FtpConnection, user: str, password: str, *, called: str = "user and password"
) -> None:
    """Start TLS before user and password are sent, or do not log in at all.

    `called` is the operator's name for user and password.
    """
    try:
        if connection.is_tls:
            connection.auth()
        connection.login(octets_as_text(user), octets_as_text(password), secure=False)
        if connection.is_tls:
            connection.prot_p()
    except ftplib.error_perm as error:
        words = peer_words(str(error), limit=WORDS)
        if words.startswith(_NOT_LOGGED_IN):
            raise LoginRefused(f"the server refuses {called}: {words}") from None
        raise Trouble("refused", f"the server refuses to go on: {words}") from None


def octets_as_text(text: str) -> str:
    """The text in UTF-8, in the form that the control connection's codec takes."""
    return text.encode().decode(CODEC)


def interrupt(connection: FtpConnection | None, data: socket.socket | None) -> None:
    """Interrupt another thread that uses the connection or its data connection."""
    for each in (data, connection.sock if connection else None):
        if each is not None:
            with suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # TLS is left as it is


def end_tls(data: socket.socket) -> None:
    """Answer the server's end of TLS; errors are ignored, because some servers do not wait."""
    if isinstance(data, ssl.SSLSocket):
        with suppress(OSError):
            data.unwrap()
