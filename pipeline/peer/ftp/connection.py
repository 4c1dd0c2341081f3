"""A connection to an FTP server, by ftplib: `deploy/decisions/0073` says what that lacked."""

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

#: The control connection carries octets; a name is compared, never shown to a reader.
CODEC: Final = "latin-1"


RECEIVED_OCTETS: Final = 4096
WORDS: Final = 100  # characters of what a server says
_NOT_LOGGED_IN: Final = "530"
HIGHEST_PORT: Final = 65535


class FtpConnection(ftplib.FTP_TLS):
    """ftplib, with the data connection bound to the control connection's TLS session.

    Servers that ask for that (vsftpd and FileZilla by default) refuse the transfer else; cpython
    issue 63699 is open.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(context=tls, timeout=bounds.CONNECT_SECONDS, encoding=CODEC)
        self.is_tls = tls is not None
        self._held = bytearray()  # of a reply, what was received and not read
        self._answer_by = 0.0

    def be_patient(self) -> None:
        """Once connected wait longer for an answer, and have an idle line probed."""
        self.timeout = bounds.ANSWER_SECONDS
        if self.sock is not None:
            self.sock.settimeout(bounds.ANSWER_SECONDS)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def getmultiline(self) -> str:
        """The first line of a reply and its last (RFC 959 4.2), which comes whole or in no time.

        ftplib bounds neither: it keeps as many lines as come, and waits anew for each octet.
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
        """What came, by the time the reply has to be there."""
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
        """As ftplib; what came before TLS is no reply to what is asked under it (RFC 4217 15.1)."""
        reply = super().auth()
        if self._held:
            raise Trouble("broken", "the server said more before TLS than it was asked")
        return reply

    def size(self, filename: str) -> int | None:
        """As SIZE says (RFC 3659 4); None where that is no size."""
        reply = self.sendcmd(f"SIZE {filename}")
        said = reply[4:].split("\n")[0].strip()
        is_size = reply.startswith("213") and said.isascii() and said.isdigit()
        return int(said) if is_size and len(said) <= bounds.SIZE_DIGITS else None

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """As `FTP.ntransfercmd`, the connection it gives under TLS where the control one is."""
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
        """PASV, whose address is not believed (it may be one behind a NAT), or EPSV."""
        address, port = self._passive()
        if not 0 < port <= HIGHEST_PORT:
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
    """What goes wrong on the line becomes `Trouble` of that kind; an answer had `seconds`."""
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
    """Under TLS before user and password go over the line, or not at all.

    `called` is what the operator knows the two as.
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
    """UTF-8 as the control connection's codec takes it."""
    return text.encode().decode(CODEC)


def end_tls(data: socket.socket) -> None:
    """Answer the end of TLS; some servers do not wait for it."""
    if isinstance(data, ssl.SSLSocket):
        with suppress(OSError):
            data.unwrap()
