"""A real FTP server, pyftpdlib's, that can lack what other servers lack."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import trustme
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import (
    DTPHandler,
    FTPHandler,
    ThrottledDTPHandler,
    TLS_FTPHandler,
)
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = "customer"
PASSWORD = "a-secret-password"


@dataclass
class Peer:
    """The server's address, the commands that it got, and the login."""

    folder: Path
    host: str
    port: int
    tls: str
    authority: Path | None = None
    commands: list[tuple[str, str]] = field(default_factory=list)

    def sent(self, command: str) -> list[str]:
        """The arguments of every command of this name."""
        return [argument for name, argument in self.commands if name == command]

    def settings(self, home: Path, **given: Any) -> Settings:
        return Settings(
            **{
                "home": home,
                "ftp_host": self.host,
                "ftp_port": self.port,
                "ftp_user": USER,
                "ftp_password": PASSWORD,
                "ftp_tls": self.tls,
                "ftp_ca": str(self.authority or ""),
            }
            | given
        )


class HangsUp(DTPHandler):
    """Closes both connections after some blocks, without an answer."""

    def send(self, octets: bytes) -> int:
        sent: int = super().send(octets[:1_000])
        if self.get_transmitted_bytes() > 100_000:
            self.cmd_channel.close()
        return sent


def handler_of(
    peer: Peer,
    *,
    certificate: Path | None,
    lacks: tuple[str, ...],
    sent_a_second: int,
    mutes: str = "-",
    **given: Any,
) -> type[FTPHandler]:
    """A handler class for one server: pyftpdlib keeps the settings on the class."""
    base = TLS_FTPHandler if certificate else FTPHandler

    class Handler(base):  # type: ignore[misc, valid-type]
        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            peer.commands.append((cmd, arg))
            super().pre_process_command(line, cmd, arg)

        def respond(self, reply: str, logfun: Any = logging.Logger.debug) -> None:
            if not reply.startswith(mutes):
                super().respond(reply)

    Handler.proto_cmds = {name: it for name, it in base.proto_cmds.items() if name not in lacks}
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(peer.folder))
    Handler.authorizer = authorizer
    Handler.auth_failed_timeout = 0
    Handler.use_sendfile = False
    if sent_a_second:

        class Throttled(ThrottledDTPHandler):
            write_limit = sent_a_second

        Handler.dtp_handler = Throttled
    if certificate:
        Handler.certfile = str(certificate)
        Handler.tls_control_required = Handler.tls_data_required = True
    for name, value in given.items():
        setattr(Handler, name, value)
    return Handler


@contextmanager
def serving(
    folder: Path,
    *,
    tls: bool = False,
    host: str = "127.0.0.1",
    port: int = 0,
    certified: str = "127.0.0.1",
    lacks: tuple[str, ...] = (),
    sent_a_second: int = 0,
    **given: Any,
) -> Iterator[Peer]:
    """A server of `folder`; `given` are attributes of pyftpdlib's handler."""
    logging.getLogger("pyftpdlib").addHandler(logging.NullHandler())  # else it takes stderr
    logging.getLogger("pyftpdlib").propagate = False
    folder.mkdir(exist_ok=True)
    peer = Peer(folder, host, port, "on" if tls else "off")
    certificate = None
    if tls:
        authority = trustme.CA()
        peer.authority = folder.parent / "authority.pem"
        authority.cert_pem.write_to_path(str(peer.authority))
        certificate = folder.parent / "server.pem"
        authority.issue_cert(certified).private_key_and_cert_chain_pem.write_to_path(
            str(certificate)
        )
    handler = handler_of(
        peer, certificate=certificate, lacks=lacks, sent_a_second=sent_a_second, **given
    )
    loop = IOLoop()
    server = FTPServer((host, port), handler, ioloop=loop)
    peer.port = server.address[1]
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            loop.loop(timeout=0.01, blocking=False)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield peer
    finally:
        ended.set()
        thread.join()
        server.close_all()
        loop.close()
