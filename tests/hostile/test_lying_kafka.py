"""With a listener that is no Kafka, ingest lives, acknowledges nothing, and logs nothing secret."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.hostile.lies import NUMBER, SECRET, TEXT
from tests.hostile.lying_server import lying_server, wait_until
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hostile.lying_server import Conduct

_WORDS = f"{SECRET} {NUMBER} {TEXT}\r\n".encode()
LOG_OCTETS = 1_000_000
LIES: dict[str, Conduct] = {
    "says-nothing": lambda line: line.file.read() and None,
    "closes-at-once": lambda line: None,
    "resets-at-once": lambda line: line.reset(),
    "garbage": lambda line: line.say(_WORDS * 100),
    "a-frame-of-two-gigabytes": lambda line: line.say(b"\x7f\xff\xff\xff" + _WORDS * 100),
    "a-frame-of-less-than-nothing": lambda line: line.say(b"\xff\xff\xff\xff" + _WORDS),
    "an-empty-frame": lambda line: line.say(bytes(4) + _WORDS),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.mark.parametrize("lie", LIES)
def test_ingest_lives_and_acknowledges_nothing(lie: str, tmp_path: Path) -> None:
    with lying_server(LIES[lie]) as server, (tmp_path / "log").open("wb") as log:
        port = free_port()
        settings = {
            "home": str(tmp_path),
            "kafka": f"127.0.0.1:{server.port}",
            "http_port": str(port),
            "tokens": SECRET,
            "log_level": "debug",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "ingest"],
            env=environment_without_settings(settings),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: status_of(f"http://127.0.0.1:{port}/healthz") == 200)
            wait_until(lambda: server.connections > 0)
            query = f"from={NUMBER}&to=447700900999&text={TEXT.replace(' ', '+')}"
            url = f"http://127.0.0.1:{port}/t/{SECRET}/mo/http?{query}"
            assert status_of(url) == 503
            assert status_of(f"http://127.0.0.1:{port}/healthz") == 200
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(20)
    said = (tmp_path / "log").read_text()
    assert len(said) < LOG_OCTETS
    for value in (SECRET, NUMBER, TEXT):
        assert value not in said
