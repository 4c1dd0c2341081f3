"""Reads a folder of an FTP server in passive mode, and over TLS if that is set."""

from __future__ import annotations

import ftplib
import time
from contextlib import contextmanager, suppress
from hashlib import blake2b
from posixpath import basename
from typing import TYPE_CHECKING

from pipeline.peer.ftp import bounds
from pipeline.peer.ftp.connection import (
    CODEC,
    NOT_UNDERSTOOD,
    FtpConnection,
    end_tls,
    in_words,
    interrupt,
    log_in,
    octets_as_text,
)
from pipeline.peer.ftp.trouble import Missing, Trouble
from pipeline.process.peer_words import keep_secret

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Generator, Iterator

    from pipeline.settings import Settings


class FtpClient:
    """The files of the log's folder on the server. Use it within `connected`."""

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None) -> None:
        self._settings = settings
        self._tls = tls
        self._folder, _, self.name = octets_as_text(settings.ftp_path).rpartition("/")
        if settings.ftp_path.startswith("/") and not self._folder:
            self._folder = "/"
        self._connection: FtpConnection | None = None
        self._data: socket.socket | None = None
        self._is_answered = True
        self._end_by = 0.0  # of this poll
        keep_secret([settings.ftp_password])
        self.skips = False
        self.is_restart_refused = False

    @contextmanager
    def connected(self) -> Iterator[FtpClient]:
        """A connection that is logged in and is in the log's folder; raises `Trouble`."""
        self._end_by = time.monotonic() + bounds.POLL_SECONDS
        connection = FtpConnection(self._tls)
        self._connection = connection
        try:
            with in_words("unreachable"):
                connection.connect(self._settings.ftp_host, self._settings.ftp_port)
                connection.be_patient()
            with in_words("untrusted" if self._tls else "broken"):
                log_in(
                    connection,
                    self._settings.ftp_user,
                    self._settings.ftp_password,
                    called="ftp_user and ftp_password",
                )
            with in_words("broken"):
                if self._folder:
                    connection.cwd(self._folder)
                connection.voidcmd("TYPE I")
            yield self
            with suppress(OSError, EOFError, ValueError, ftplib.Error, Trouble):
                connection.quit()
        finally:
            self._connection = None
            connection.close()

    def abort(self) -> None:
        """Interrupt another thread that uses this client; that thread gets a `Trouble`."""
        interrupt(self._connection, self._data)

    def names(self) -> list[str]:
        """The files of the folder, without names that are paths or have control characters."""
        found = [basename(line) for line in self._listed("NLST")]
        return [name for name in found if name.strip(".") and name.isprintable()]

    def listing(self) -> object:
        """A digest of the answer to LIST: it changes with any name, size or time."""
        return blake2b("\n".join(self._listed("LIST")).encode()).digest()

    def size(self, name: str) -> int | None:
        """The answer to SIZE; None if the server does not know SIZE or the file."""
        with in_words("broken"):
            try:
                return self._in_use.size(name)
            except ftplib.error_perm:
                return None

    @contextmanager
    def opened(self, name: str, start: int) -> Iterator[Iterator[bytes]]:
        """The octets of a file from `start` on.

        If the server refuses REST, the file is read from its beginning, and octets before `start`
        are skipped.
        """
        command = f"RETR {name}"
        skip = 0
        if self.skips or self.is_restart_refused:
            skip, start = start, 0
        with in_words("broken"):
            try:
                data = self._transfer(command, start)
            except ftplib.error_perm as error:
                if not start or str(error)[:3] not in NOT_UNDERSTOOD:
                    raise Missing(name) from error
                self.is_restart_refused = True
                skip = start
                data = self._transfer_whole(command)
        with self._received(data) as blocks:
            yield _skipped(blocks, skip) if skip else blocks

    def _transfer_whole(self, command: str) -> socket.socket:
        try:
            return self._transfer(command, 0)
        except ftplib.error_perm as error:
            raise Missing(command) from error

    def _transfer(self, command: str, start: int) -> socket.socket:
        self._refuse_late()
        self._data = self._in_use.transfercmd(command, start or None)
        return self._data

    @contextmanager
    def _received(self, data: socket.socket) -> Iterator[Iterator[bytes]]:
        """The blocks of a transfer. If the caller stops early, the server's answer is awaited."""
        self._is_answered = False
        blocks = self._blocks(data)
        try:
            yield blocks
        except Trouble:
            self._is_answered = True  # or never will be
            raise
        finally:
            blocks.close()
            data.close()
            self._data = None
            if not self._is_answered:
                with in_words("broken"):
                    self._in_use.getmultiline()

    def _blocks(self, data: socket.socket) -> Generator[bytes]:
        """The blocks of a transfer up to its end, which the server must confirm."""
        with in_words("broken"):
            waited, count = 0.0, 0  # time waited for the server only, not for Kafka
            asked_at = time.monotonic()
            while block := data.recv(bounds.BLOCK_OCTETS):
                waited += time.monotonic() - asked_at
                count += len(block)
                yield block
                self._refuse_late()
                if count >= bounds.LEAST_OCTETS:
                    waited, count = 0.0, 0
                elif waited > bounds.ANSWER_SECONDS:
                    raise TimeoutError
                asked_at = time.monotonic()
            end_tls(data)
            data.close()
            self._is_answered = True
            self._in_use.voidresp()

    def _refuse_late(self) -> None:
        """Raises `Trouble` if this poll has taken longer than `POLL_SECONDS`."""
        if time.monotonic() > self._end_by:
            words = f"the poll took over {bounds.POLL_SECONDS:.0f} s: the next poll continues"
            raise Trouble("timeout", words)

    def _listed(self, command: str) -> tuple[str, ...]:
        """The lines of a list; none if the server refuses to list, as some do without files."""
        octets = bytearray()
        with in_words("broken"):
            try:
                data = self._transfer(command, 0)
            except (ftplib.error_perm, ftplib.error_temp):
                return ()
        with self._received(data) as blocks:
            while len(octets) < bounds.LISTED_OCTETS and (block := next(blocks, b"")):
                octets += block
        lines = octets.split(b"\n", bounds.LISTED_LINES)[: bounds.LISTED_LINES]
        return tuple(bytes(each).strip(b"\r").decode(CODEC) for each in lines if each.strip())

    @property
    def _in_use(self) -> FtpConnection:
        if self._connection is None:
            raise Trouble("broken", "the connection was ended")
        return self._connection


def _skipped(blocks: Iterator[bytes], count: int) -> Iterator[bytes]:
    """The octets after the first `count` octets."""
    for block in blocks:
        if count < len(block):
            yield block[count:]
        count = max(0, count - len(block))
