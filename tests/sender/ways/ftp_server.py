"""pyftpdlib's server, which plays a trick at one moment of the dialogue."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyftpdlib.authorizers import DummyAuthorizer

from pipeline.sender.apis.api import WayName
from pipeline.sender.ways.ftp.way import FtpWay
from tests.ingest.ftp.peer import PASSWORD, Peer, serving
from tests.sender.ways.apis import api_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Before a command is done, or in place of an answer.
HANG, CLOSE, CUT, LONG, ONE_OCTET = "hang", "close", "cut", "long", "one octet"
TRICKS = (HANG, CLOSE, CUT, LONG)
Trick = str | Callable[[], None]


@dataclass
class Tricks:
    """Tricks, each played once: by command (before it is done) or `command=code` (its answer)."""

    planned: dict[str, str] = field(default_factory=dict)
    last: str = ""
    commands: list[tuple[str, str]] = field(default_factory=list)

    def attributes(self, folder: Path) -> dict[str, Any]:
        """Attributes of pyftpdlib's handler."""
        tricks = self
        authorizer = DummyAuthorizer()
        authorizer.add_user("1234", PASSWORD, str(folder), perm="elradfmwMT")

        def pre_process_command(handler: Any, line: str, cmd: str, arg: str) -> None:
            tricks.last = cmd
            tricks.commands.append((cmd, arg))
            words = tricks.planned.pop(cmd, "")
            if not words or not play(handler, words):
                type(handler).__mro__[1].pre_process_command(handler, line, cmd, arg)

        def respond(handler: Any, reply: str, **given: Any) -> None:
            words = tricks.planned.pop(f"{tricks.last}={reply[:3]}", "")
            if not words or not play(handler, words):
                type(handler).__mro__[1].respond(handler, reply, **given)

        return {
            "authorizer": authorizer,
            "pre_process_command": pre_process_command,
            "respond": respond,
        }


def play(handler: Any, words: str) -> bool:
    """Play the trick; return whether it replaces the usual answer."""
    match words:
        case "hang":
            pass
        case "close":
            handler.close()
        case "cut":
            handler.push("2")
            handler.close_when_done()
        case "long":
            handler.push("250-more\r\n" * 1_000_000)
        case _:
            handler.push(f"{words}\r\n")
    return True


@contextmanager
def uploading(
    files: Path,
    *,
    tls: bool = False,
    certified: str = "127.0.0.1",
    lacks: tuple[str, ...] = (),
    **given: Any,
) -> Iterator[tuple[FtpWay, Tricks, Peer]]:
    """A server of `files`, and a way to it."""
    files.mkdir(exist_ok=True)
    tricks = Tricks()
    with serving(
        files, tls=tls, certified=certified, lacks=lacks, **tricks.attributes(files)
    ) as peer:
        fields = {"tls": peer.tls, "ca": str(peer.authority or ""), "login_password": PASSWORD}
        peer.commands = tricks.commands
        yield FtpWay(api_of(WayName.FTP, peer.port, **fields | given)), tricks, peer
