"""The ways out: a gateway that is played, and before each of its ways a proxy that lies.

What became of a mail is asked over HTTP: a mail's answer is lost where its handset is `LOSING`.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.ports import free_port
from pipeline.gateway.faults import MAGIC
from pipeline.gateway.settings import API_IDS
from pipeline.gateway.truth import seen_in, twice
from pipeline.home.process import start_process
from pipeline.sender.apis.api import WayName
from tests.hostile.lies import SECRET
from tests.hostile.lying_server import wait_until
from tests.hostile.peers import tongues
from tests.hostile.peers.proxy import lying_proxy
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from tests.hostile.peers.lies import Tongue
    from tests.hostile.peers.proxy import LyingProxy

#: The gateway takes its messages, and the answers are lost (`pipeline/gateway/faults`).
LOSING: Final = f"{MAGIC}0001"
ANSWER_SECONDS: Final = 2
#: How each way speaks, and in how many pieces the peer does, until a message is taken.
TONGUES: Final[dict[WayName, tuple[Tongue, int]]] = {
    WayName.HTTP: (tongues.GatewayOverHttp(WayName.HTTP), 2),
    WayName.XML: (tongues.GatewayOverHttp(WayName.XML), 2),
    WayName.SOAP: (tongues.GatewayOverHttp(WayName.SOAP), 2),
    WayName.SMPP: (tongues.Smpp(), 2),
    WayName.SMTP: (tongues.Lines(b"554"), 6),  # greeting, EHLO, MAIL, RCPT, DATA, dot
    WayName.FTP: (tongues.Lines(b"550"), 10),  # welcome, login, TYPE, MLST, PASV, STOR, SIZE, RN…
}


class WaysOut:
    """A gateway that runs until `opening` is closed; `apis` is the sender's file."""

    def __init__(self, folder: Path, opening: ExitStack) -> None:
        self.proxies: dict[WayName, LyingProxy] = {
            way: opening.enter_context(lying_proxy(tongue, steps=steps))
            for way, (tongue, steps) in TONGUES.items()
        }
        ports = {name: free_port() for name in ("http", "smpp", "smtp", "ftp")}
        self._gateway_home = folder / "played"
        words = ("-m", "tests.hostile.peers.played_gateway", str(self._gateway_home))
        gateway = start_process(
            [sys.executable, *words, *(str(port) for port in ports.values())],
            environment=environment_without_settings(),
            log=folder / "played-gateway.out",
        )
        opening.callback(gateway.wait)
        opening.callback(gateway.kill)
        for way, proxy in self.proxies.items():
            proxy.upstream = ports.get(way, ports["http"])
        for port in ports.values():
            wait_until(lambda port=port: listens(port))  # type: ignore[misc]
        self.apis = folder / "apis.toml"
        with os.fdopen(os.open(self.apis, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write("\n".join(self._lines()))

    def has_taken(self, handset: str) -> bool:
        """Whether the gateway has a message for this handset."""
        return any(each["to"] == handset for each in seen_in(self._gateway_home))

    def taken_twice(self) -> list[str]:
        """Messages that the gateway has twice: never, whatever it said of the first.

        A submit_sm has no id of ours: one of which the gateway says that it failed may be there.
        """
        again = twice(seen_in(self._gateway_home))
        return [f"{each['way']} {each['client_id']}" for each in again if each["way"] != "smpp"]

    def _lines(self) -> Iterator[str]:
        for way, proxy in self.proxies.items():
            given: dict[str, str | int | bool] = {
                "api_id": API_IDS[way],
                "way": way.value,
                "tls": "off",
                "user": "demo",
                "password": SECRET,
                "timeout_seconds": ANSWER_SECONDS,
            }
            if way in (WayName.HTTP, WayName.XML, WayName.SOAP):
                given |= {"url": f"http://127.0.0.1:{proxy.port}", "default": way is WayName.HTTP}
            else:
                given |= {"host": "127.0.0.1", "port": proxy.port}
            if way is WayName.SMTP:
                given |= {"mail_to": "sms@gateway.invalid", "mail_from": "two-way@example.com"}
                given |= {"query_by": API_IDS["http"]}
            yield "[[api]]"
            yield from (f"{name} = {json.dumps(value)}" for name, value in given.items())


def listens(port: int) -> bool:
    """Whether somebody does."""
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0
