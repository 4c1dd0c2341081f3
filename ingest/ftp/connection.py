"""A connection to an FTP server, by ftplib: `deploy/decisions/0073` says what that lacked."""

from __future__ import annotations

import ftplib
import socket
import ssl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from ingest.ftp.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 30.0
#: The control connection carries octets; a name is compared, never shown to a reader.
CODEC: Final = "latin-1"


class Connection(ftplib.FTP_TLS):
    """ftplib, with the data connection bound to the control connection's TLS session.

    Servers that ask for that (vsftpd and FileZilla by default) refuse the transfer else; cpython
    issue 63699 is open.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        super().__init__(context=tls, timeout=CONNECT_SECONDS, encoding=CODEC)

    def be_patient(self) -> None:
        """Once connected wait longer for an answer, and have an idle line probed."""
        self.timeout = ANSWER_SECONDS
        if self.sock is not None:
            self.sock.settimeout(ANSWER_SECONDS)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

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
        try:
            return super().makepasv()
        except ftplib.error_perm:
            if self.af != socket.AF_INET or self.sock is None:
                raise
            reply = self.sendcmd("EPSV")
            return ftplib.parse229(reply, self.sock.getpeername())  # noqa: S321 - G8.3.2 has FTP


@contextmanager
def in_words(kind: str) -> Iterator[None]:
    """What goes wrong on the line becomes `Trouble` of that kind."""
    try:
        yield
    except TimeoutError as error:
        raise Trouble("timeout", f"no answer within {ANSWER_SECONDS:.0f} s") from error
    except ssl.SSLError as error:
        raise Trouble("untrusted", f"TLS failed: {error.reason or error}") from error
    except OSError as error:
        raise Trouble(kind, str(error.strerror or error)) from error
    except EOFError as error:
        raise Trouble("broken", "the server ended the connection") from error
    except (ftplib.Error, ValueError) as error:
        raise Trouble("broken", f"the server said {str(error)[:100]!r}") from error


def end_tls(data: socket.socket) -> None:
    """Answer the end of TLS; some servers do not wait for it."""
    if isinstance(data, ssl.SSLSocket):
        with suppress(OSError):
            data.unwrap()
