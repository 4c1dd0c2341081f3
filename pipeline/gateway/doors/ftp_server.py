"""The FTP API: a folder whose files are taken once a minute, with `mo.log` in it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.doors.ftp_handler import handler_class, is_whole
from pipeline.gateway.doors.line_messages import take_lines
from pipeline.gateway.masking import masked_lines
from pipeline.gateway.settings import API_IDS

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.gateway.ground import Ground

MO_LOG: Final = "mo.log"
FOLDER: Final = "gateway-ftp"  # in the home
_PERMISSIONS: Final = "elradfmwMT"
_POLL_SECONDS: Final = 0.1


class FtpServer:
    """An FTP server in its own thread; the gateway's event loop reads the uploaded files.

    Each file is taken once, except incomplete files (`.part`) and logs (`.log`). The answers go to
    `NAME.log` in the same folder. A client may start TLS (AUTH TLS, RFC 4217).
    """

    def __init__(self, gateway: Ground) -> None:
        self._gateway = gateway
        self.folder: Path = gateway.settings.home / FOLDER
        self.port = 0
        self._taken: set[tuple[str, int]] = set()
        self._server: Any = None
        self._thread: threading.Thread | None = None
        self._looking: asyncio.Task[None] | None = None
        self._is_ending = threading.Event()

    async def start(self) -> None:
        """Listen on `port`; raises `OSError` if the port is in use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():  # pyftpdlib has its own for 3.12
            warnings.filterwarnings("ignore", "The asyn(chat|core) module is deprecated")
            from pyftpdlib.authorizers import DummyAuthorizer
            from pyftpdlib.servers import FTPServer

            handler = handler_class(self._gateway, self.folder)
        settings = self._gateway.settings
        authorizer = DummyAuthorizer()
        for user in (API_IDS["ftp"], settings.user):
            authorizer.add_user(user, settings.password, str(self.folder), perm=_PERMISSIONS)
        handler.authorizer = authorizer
        handler.ssl_context = self._gateway.certificates.openssl_context(
            lambda: self._gateway.meets_wrong_certificate("ftp")
        )
        self._server = FTPServer((settings.host, settings.ftp_port), handler)
        self.port = self._server.address[1]
        self._thread = threading.Thread(target=self._serve, name="gateway-ftp", daemon=True)
        self._thread.start()
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """End the thread, and stop reading the folder."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        self._is_ending.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def append(self, line: bytes) -> None:
        """Add a line to mo.log (guide 8.3.2)."""
        with (self.folder / MO_LOG).open("ab") as log:
            log.write(line)

    def take_files(self) -> None:
        """Take the files that were uploaded since the last call, even if a restart came between."""
        for file in sorted(self.folder.iterdir()):
            if not file.is_file() or not is_whole(file, self.folder):
                continue
            key = (file.name, file.stat().st_mtime_ns)
            log = file.with_name(f"{file.name}.log")
            was_taken = log.is_file() and log.stat().st_mtime_ns >= key[1]
            if was_taken or key in self._taken:
                continue
            self._taken.add(key)
            octets = file.read_bytes()
            shown = masked_lines(octets)
            lines = take_lines(self._gateway, "ftp", octets.decode("latin-1"), shown)
            answer = "".join(f"{line}\n" for line in lines)
            log.write_text(answer)
            self._gateway.world.answer(shown, answer.encode())

    async def _look(self) -> None:
        """Take the files every `folder_seconds` of the home's clock."""
        pause = timedelta(seconds=self._gateway.settings.folder_seconds)
        looked_at = self._gateway.clock.now() - pause
        while True:
            now = self._gateway.clock.now()
            if now >= looked_at + pause:
                looked_at = now
                self.take_files()
            await asyncio.sleep(_POLL_SECONDS)

    def _serve(self) -> None:
        while not self._is_ending.is_set():
            self._server.ioloop.loop(timeout=_POLL_SECONDS, blocking=False)
        self._server.close_all()
