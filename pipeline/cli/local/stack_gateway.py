"""The gateway that is played beside a local stack; both are pointed at each other."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.children import Program
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.cli.local.stack_settings import answers, settings_as_environment, url_of
from pipeline.cli.local.stack_ways import NUMBERS_NAME
from pipeline.gateway.files import write_apis
from pipeline.gateway.settings import API_IDS, LINKED_API, GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.settings import Settings

GATEWAY: Final = "gateway"
_PORTS: Final = ("http", "smpp", "smtp", "ftp")
_POLL_SECONDS: Final = 1.0  # of mo.log: the server is next door
_NUMBERS: Final = """\
# Written by `twoway up --gateway`: the number that its handsets text. Change it as you like.
[[number]]
number = "{number}"
kind = "vmn"
api_id = "{api_id}"

[number.custom_reply.HELP]
enabled = true
text = "We reply by day. Text STOP to hear no more from us."
sent_by = "us"
"""


class PlayedGateway:
    """Writes apis.toml and numbers.toml into the home, unless somebody else did.

    `settings` are the stack's.
    """

    def __init__(self, settings: Settings) -> None:
        self._ports: dict[str, int] = {}
        taken = {settings.http_port, settings.report_port, settings.metrics_port}
        for name in _PORTS:
            self._ports[name] = free_port(avoid=taken | set(self._ports.values()))
        self._product = url_of(settings.http_host, settings.http_port, tls=bool(settings.tls_cert))
        own = GatewaySettings(home=settings.home)
        urls = {name: f"{name}://{LOOPBACK}:{port}" for name, port in self._ports.items()}
        write_apis(settings.home, own, urls)
        _write_numbers(settings, own)
        self.settings = _pointed(settings, self._ports, own)

    def program(
        self, command: Callable[[str], Sequence[str]], log: Callable[[str], Path]
    ) -> Program:
        """The process."""
        ports = self._ports
        own = replace(self.settings, smpp_password="", ftp_password="")
        return Program(
            name=GATEWAY,
            command=partial(self._words, command),
            environment=settings_as_environment(own),
            log=log(GATEWAY),
            is_ready=partial(answers, LOOPBACK, ports["http"]),
            is_alive=partial(answers, LOOPBACK, ports["http"]),
        )

    def _words(self, command: Callable[[str], Sequence[str]]) -> Sequence[str]:
        ports = [f"--{name}-port={port}" for name, port in self._ports.items()]
        return [*command(GATEWAY), "--product", self._product, *ports]


def _write_numbers(settings: Settings, own: GatewaySettings) -> None:
    """A directory of the stand-in's number, where the home has none."""
    file = settings.home / NUMBERS_NAME
    if not settings.numbers and not file.exists():
        file.write_text(_NUMBERS.format(number=own.numbers[0], api_id=LINKED_API))


def _pointed(settings: Settings, ports: dict[str, int], own: GatewaySettings) -> Settings:
    """The settings with the stand-in as the host of SMPP and FTP, where none is set."""
    if not settings.smpp_host:
        settings = replace(
            settings,
            smpp_host=LOOPBACK,
            smpp_port=ports["smpp"],
            smpp_system_id=own.user,
            smpp_password=own.password,
            smpp_system_type=API_IDS["smpp"],
            smpp_tls="off",
        )
    if not settings.ftp_host:
        settings = replace(
            settings,
            ftp_host=LOOPBACK,
            ftp_port=ports["ftp"],
            ftp_user=API_IDS["ftp"],
            ftp_password=own.password,
            ftp_tls="off",
            ftp_poll_seconds=_POLL_SECONDS,
        )
    return settings
