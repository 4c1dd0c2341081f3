"""The lies of an FTP server, and an honest FTP server with one file."""

from __future__ import annotations

import socket
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING

from tests.hostile.lies import NUMBER, SECRET, TEN_MEGABYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.lying_server import Conduct, Line

    Lie = Callable[[Line], None]

STEPS = ("USER", "PASS", "CWD", "TYPE", "SIZE", "PASV", "RETR", "LIST", "NLST")


def served(log: bytes, *, at: str = "", lie: Lie | None = None) -> Conduct:
    """A server whose folder holds mo.log; honest up to the command at which the lie begins."""

    def conduct(line: Line) -> None:
        with ExitStack() as open_sockets:
            talk(line, open_sockets)

    def talk(line: Line, open_sockets: ExitStack) -> None:
        rest, data = log, None
        if at == "welcome" and lie:
            lie(line)
            return
        line.say(b"220 welcome\r\n")
        while command := line.file.readline().decode().strip():
            name, _, argument = command.partition(" ")
            if name == at and lie:
                with data or nullcontext():
                    lie(line)
                return
            match name:
                case "USER":
                    line.say(b"331 go on\r\n")
                case "PASS" | "CWD" | "TYPE":
                    line.say(b"230 ok\r\n")
                case "SIZE":
                    line.say(b"213 %d\r\n" % len(log))
                case "REST":
                    rest = log[int(argument) :]
                    line.say(b"350 ok\r\n")
                case "PASV":
                    data = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0)))
                    port = data.getsockname()[1]
                    line.say(b"227 (127,0,0,1,%d,%d)\r\n" % (port >> 8, port & 255))
                case "RETR" | "LIST" | "NLST" if data:
                    line.say(b"150 here it comes\r\n")
                    with data, data.accept()[0] as transfer:
                        if at == "data" and lie:
                            lie(type(line)(transfer))
                        transfer.sendall(rest if name == "RETR" else b"mo.log\r\n")
                    rest = log
                    line.say(b"226 done\r\n")
                case _:
                    line.say(b"502 no\r\n")

    return conduct


def _said(octets: bytes) -> Lie:
    return lambda line: line.say(octets)


def _without_end(octets: bytes, *, pause: float = 0.0) -> Lie:
    return lambda line: line.for_ever(octets, pause=pause)


LIES: dict[str, tuple[str, Lie]] = {}
for _code in (b"421", b"430", b"451", b"530", b"550", b"999", b"226", b"abc"):
    for _step in ("welcome", "PASS", "TYPE", "RETR"):
        _words = b" you sent %s for %s\r\n" % (SECRET.encode(), NUMBER.encode())
        LIES[f"echo-{_code.decode()}-{_step}"] = (_step, _said(_code + _words))
for _step, _code in (("welcome", b"220"), ("PASS", b"230"), ("RETR", b"226"), ("LIST", b"150")):
    LIES[f"endless-reply-{_step}"] = (_step, _without_end((_code + b"-x" * 1000 + b"\r\n") * 30))
    LIES[f"endless-line-{_step}"] = (_step, _without_end(b"x" * 60_000))
    LIES[f"slow-{_step}"] = (_step, _without_end(b"2", pause=0.1))
    LIES[f"huge-{_step}"] = (_step, _said(_code + b" " + b"x" * TEN_MEGABYTES + b"\r\n"))
    LIES[f"control-{_step}"] = (_step, _said(b"5\0\x1b[2J\xe2\x80\xae\r\n"))
for _step in ("welcome", *STEPS):
    LIES[f"ends-{_step}"] = (_step, lambda line: None)
    LIES[f"resets-{_step}"] = (_step, lambda line: line.reset())
LIES |= {
    "slow-data": ("data", _without_end(b"x", pause=0.1)),
    "endless-data": ("data", _without_end(b"x" * 60_000)),
    "endless-lines": ("data", _without_end(b"\n" * 60_000)),
    "resets-data": ("data", lambda line: line.reset()),
    "port-of-a-million": ("PASV", _said(b"227 (127,0,0,1,99999,1)\r\n")),
    "port-of-many-digits": ("PASV", _said(b"227 (" + b"1," * 2000 + b"1)\r\n")),
    "size-of-many-digits": ("SIZE", _said(b"213 " + b"9" * 4000 + b"\r\n")),
    "size-below-nothing": ("SIZE", _said(b"213 -5\r\n")),
}
