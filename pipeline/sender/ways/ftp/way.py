"""The way by FTP: one file a command, with HTTP's parameters as lines (deploy/decisions/0114)."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from pipeline.peer.ftp.trouble import Trouble
from pipeline.process.client_tls import tls_for
from pipeline.process.peer_words import keep_secret
from pipeline.records import Outcome
from pipeline.sender.apis.api import WINDOWS, WayName
from pipeline.sender.way import Answer, Found, ProbeFailed
from pipeline.sender.ways.ftp.server import UploadServer
from pipeline.sender.ways.ftp.upload import Upload
from pipeline.sender.ways.lines import lines_or_refusal
from pipeline.wire.clickatell.lines import Login

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Submission

#: Octets without the line's end: Clickatell's page "Using the FTP API" allows 8192.
LONGEST_FILE_LINE: Final = 8190
TEMPORARY_NAMES: Final = ("suffix", "folder", "none")
#: How much longer we wait for a thread than its time: the name server has a time of its own.
LEEWAY_SECONDS: Final = 1.0


class FtpWay:
    """Logs in for each file. Raises `ValueError` for an API that no file can reach."""

    def __init__(self, api: Api) -> None:
        self._api = api
        if api.temporary not in TEMPORARY_NAMES:
            raise ValueError(f"temporary must be one of {', '.join(TEMPORARY_NAMES)}")
        for name in ("folder", "login_user", "login_password"):
            if not getattr(api, name).isprintable():
                raise ValueError(f"{name} must be printable")
        self._login = Login(api.api_id, api.user, api.password)
        self._tls = tls_for("ftp", mode=api.tls, host=api.host, ca=api.ca)
        self._threads = ThreadPoolExecutor(
            api.window or WINDOWS[WayName.FTP], thread_name_prefix="ftp-upload"
        )
        self._free = asyncio.Semaphore(api.window or WINDOWS[WayName.FTP])
        keep_secret([api.password, api.login_password])

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        """One answer for the whole message: a file does not say which part is which."""
        command = submission.command
        lines = lines_or_refusal(command, self._api, self._login, longest=LONGEST_FILE_LINE)
        if isinstance(lines, Answer):
            return [lines]
        octets = "".join(f"{line}\r\n" for line in lines).encode("ascii")
        deadline = time.monotonic() + self._api.timeout_seconds
        try:
            async with asyncio.timeout(self._api.timeout_seconds):
                await self._free.acquire()
        except TimeoutError:
            words = "not sent: too many uploads are under way"
            return [Answer(outcome=Outcome.FAILED, is_temporary=True, words=words)]
        upload = Upload(
            UploadServer(self._api, tls=self._tls),
            name=f"{command.command_id}.txt",
            temporary=self._api.temporary,
            octets=octets,
            may_go=may_go,
            seconds=deadline - time.monotonic(),
        )
        running = asyncio.get_running_loop().run_in_executor(self._threads, upload.run)
        running.add_done_callback(self._is_free)
        try:
            async with asyncio.timeout(deadline + LEEWAY_SECONDS - time.monotonic()):
                return [await asyncio.shield(running)]
        except TimeoutError:
            return [upload.abandon()]
        except asyncio.CancelledError:
            upload.abandon()
            raise

    async def probe(self) -> str:
        """Log in, and have a NOOP answered."""
        server = UploadServer(self._api, tls=self._tls)
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._ask, server)
        try:
            async with asyncio.timeout(self._api.timeout_seconds + LEEWAY_SECONDS):
                words = await asyncio.shield(running)
        except (Trouble, TimeoutError) as error:
            server.abort()
            words = str(error) or "no answer in time"
            raise ProbeFailed(f"{self._where}: {words}") from error
        return f"{self._where} takes files: {words}"

    async def ask_about(self, command_id: str) -> Found | None:
        """None: the form of the gateway's log file is not known."""
        return None

    async def close(self) -> None:
        """Take no more commands; uploads under way end within their own time."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def _where(self) -> str:
        return f"{self._api.host}:{self._api.port}"

    def _ask(self, server: UploadServer) -> str:
        with server.connected(time.monotonic() + self._api.timeout_seconds) as connected:
            return connected.noop()

    def _is_free(self, running: asyncio.Future[Answer]) -> None:
        self._free.release()
        if not running.cancelled():
            running.exception()  # whoever waited for it may have left
