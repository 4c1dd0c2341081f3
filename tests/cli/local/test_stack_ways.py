"""What `up` starts besides the stack itself, when the settings name a host to fetch from."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.local.stack_ways import WAY_PROGRAMS, programs_of_ways
from pipeline.cli.local.supervisor import ENDS
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from pipeline.cli.local.children import Program

TAKEN = {"http_port": 18080, "report_port": 18081, "metrics_port": 19102}


def programs(**given: Any) -> list[Program]:
    return programs_of_ways(
        Settings(**TAKEN, **given),
        command=lambda name: ["twoway", name],
        log=lambda name: Path(f"{name}.log"),
        needs=("kafka",),
    )


def test_nothing_is_started_without_a_host() -> None:
    assert programs() == []


@pytest.mark.parametrize("name", WAY_PROGRAMS)
def test_a_way_whose_host_is_set_is_started_with_metrics_of_its_own(name: str) -> None:
    (program,) = programs(**{f"{name}_host": "127.0.0.1"})
    assert (program.name, program.command()) == (name, ["twoway", name])
    assert program.needs == ("kafka",)
    settings = load_settings(environment=program.environment)
    assert getattr(settings, f"{name}_host") == "127.0.0.1"
    assert settings.metrics_port not in {0, *TAKEN.values()}


def test_every_process_is_ended_with_the_stack(tmp_path: Path) -> None:
    (tmp_path / "apis.toml").touch()
    hosts = {f"{name}_host": "127.0.0.1" for name in WAY_PROGRAMS}
    names = {program.name for program in programs(home=tmp_path, **hosts)}
    assert names == {*WAY_PROGRAMS, "sender"}
    assert names < set(ENDS)


class AliveNotReady(BaseHTTPRequestHandler):
    """A process that is alive but whose peer is away."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_gateway_that_is_away_does_not_keep_the_stack_from_being_ready() -> None:
    (program,) = programs(smpp_host="127.0.0.1")
    port = load_settings(environment=program.environment).metrics_port
    assert program.is_ready() is False
    with HTTPServer(("127.0.0.1", port), AliveNotReady) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert program.is_ready() is True
        server.shutdown()
