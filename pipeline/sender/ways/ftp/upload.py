"""Uploads the file of one command: under a temporary name, then renamed to the command's name.

Every attempt first looks for the name, so that no attempt makes a second file.
"""

from __future__ import annotations

import threading
import time
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Final

from pipeline.peer.ftp.trouble import LoginRefused, Trouble
from pipeline.records import Outcome
from pipeline.sender import way
from pipeline.sender.way import Answer, PermitEnded
from pipeline.sender.ways.ftp.server import UploadRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.sender.ways.ftp.server import UploadServer

HANDED_OVER: Final = "handed over by FTP"
FOLDER: Final = "tmp"  # of files that are not whole
#: The share of the time that is left for looking after a lost answer.
_FIRST_SHARE: Final = 0.6


class UploadStep(IntEnum):
    """The steps of an upload, by what was written to the server."""

    NOTHING = auto()
    STORING = auto()  # octets were written, the answer to them was not read
    STORED = auto()
    RENAMING = auto()  # RNTO was written, and its answer not read


class Upload:
    """One upload. It blocks: `run` has a thread of its own, and another thread gives it up."""

    def __init__(
        self,
        server: UploadServer,
        *,
        name: str,
        temporary: str,
        octets: bytes,
        may_go: Callable[[], bool],
        seconds: float,
    ) -> None:
        self._server = server
        self._name = name
        self._temporary = {"suffix": f"{name}.part", "folder": f"{FOLDER}/{name}"}.get(temporary)
        self._octets = octets
        self._may_go = may_go
        self._begun = time.monotonic()
        self._seconds = seconds
        self._is_given_up = False
        self._deciding = threading.Lock()
        self.step = UploadStep.NOTHING

    def run(self) -> Answer:
        """Upload, and return what was seen; raises `PermitEnded`."""
        try:
            with self._server.connected(self._begun + self._seconds * _FIRST_SHARE) as server:
                return self._upload(server)
        except UploadRefused as refused:
            return _refused(refused)
        except Trouble as trouble:
            if not self._may_be_there:
                return _not_there(trouble)
            words = str(trouble)
        try:
            with self._server.connected(self._begun + self._seconds) as server:
                return self._look(server, words)
        except UploadRefused as refused:
            return _refused(refused)
        except Trouble as trouble:
            return _unknown(f"{words}; then it could not be looked: {trouble}")

    def abandon(self) -> Answer:
        """End the connection when the time is over; return what may have happened to the file."""
        with self._deciding:
            self._is_given_up = True
            may_be_there = self._may_be_there
        self._server.abort()
        words = "the server did not answer in time"
        return _unknown(words) if may_be_there else _not_there(Trouble("timeout", words))

    @property
    def _may_be_there(self) -> bool:
        """Whether the gateway may have found the file; it ignores temporary names."""
        least = UploadStep.RENAMING if self._temporary else UploadStep.STORING
        return self.step >= least

    def _upload(self, server: UploadServer) -> Answer:
        if server.has(self._name):
            return self._found(server, "it was there already")
        name = self._temporary or self._name
        if self._temporary and "/" in name:
            server.make_folder(FOLDER)
        try:
            is_stored = server.store(name, self._octets, may_write=self._may(UploadStep.STORING))
        except UploadRefused as refused:
            return _unknown(str(refused)) if self._may_be_there else _refused(refused)
        if not is_stored:
            server.delete(name)
            raise PermitEnded
        if server.size(name) not in (None, len(self._octets)):
            words = "not all of the file has arrived"
            return _unknown(words) if self._may_be_there else _not_there(Trouble("broken", words))
        self.step = UploadStep.STORED
        return self._rename(server)

    def _rename(self, server: UploadServer) -> Answer:
        if self._temporary is None:
            return _submitted()
        if not server.rename(self._temporary, self._name, may_write=self._may(UploadStep.RENAMING)):
            server.delete(self._temporary)
            raise PermitEnded
        return _submitted()

    def _look(self, server: UploadServer, words: str) -> Answer:
        """Look for the file after a lost answer; rename it if it has the temporary name."""
        if server.has(self._name):
            return self._found(server, words)
        if self._temporary is None:
            return _not_there(Trouble("broken", words))
        if server.has(self._temporary):  # so RNTO was not done
            self.step = UploadStep.STORED
            return self._rename(server)
        return _unknown(f"{words}; then neither name was there")

    def _found(self, server: UploadServer, words: str) -> Answer:
        """The answer if the final name exists: without a temporary name it may be incomplete."""
        if self._temporary is None and server.size(self._name) != len(self._octets):
            return _unknown(f"{words}; it is there, perhaps in part")
        return _submitted(words)

    def _may(self, step: UploadStep) -> Callable[[], bool]:
        """A check of the permit right before a step; after True the step may have been done."""

        def may_write() -> bool:
            with self._deciding:
                if self._is_given_up or not self._may_go():
                    return False
                self.step = step
                return True

        return may_write


def _submitted(words: str = "") -> Answer:
    said = f"{HANDED_OVER}; {words}" if words else HANDED_OVER
    return Answer(outcome=Outcome.SUBMITTED, words=said)


def _unknown(words: str) -> Answer:
    return Answer(outcome=Outcome.UNKNOWN, words=words, trouble=way.Trouble.UNREACHABLE)


def _not_there(trouble: Trouble) -> Answer:
    is_refused = isinstance(trouble, LoginRefused)
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=True,
        words=f"not sent: {trouble}",
        trouble=way.Trouble.REFUSED if is_refused else way.Trouble.UNREACHABLE,
    )


def _refused(refused: UploadRefused) -> Answer:
    """A temporary failure: the API's folder and names would refuse every command alike."""
    return Answer(
        outcome=Outcome.FAILED,
        is_temporary=True,
        code=refused.code,
        words=f"not sent: {refused}",
        trouble=way.Trouble.NONE if refused.is_temporary else way.Trouble.REFUSED,
    )
