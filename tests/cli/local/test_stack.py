"""What `up` decides before it starts, and what it tells the other commands."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import fields, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.local import supervisor
from pipeline.cli.local.stack_settings import (
    answers_ready,
    is_of_this_machine,
    settings_as_environment,
    url_of,
    where_to_call,
    with_free_ports,
)
from pipeline.home.holding import hold
from pipeline.home.stack import BROKER_NAME, STACK_FILE, Stack, StackError, bootstrap_of, find_stack
from pipeline.process.secret_settings import secrets_as_lines
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL_FREE = {"kafka_port": 0, "http_port": 0, "report_port": 0}
STACK = Stack(kafka="127.0.0.1:9", ingest="http://a", report="http://b", pids={"ingest": 1})


def test_free_ports_are_explicit_and_differ(twoway_home: Path) -> None:
    found = with_free_ports(Settings(home=twoway_home, **ALL_FREE))
    ports = {found.kafka_port, found.http_port, found.report_port, found.metrics_port}
    assert len(ports) == 4
    assert 0 not in ports
    assert found.home.is_absolute()


@pytest.mark.parametrize("name", ["kafka_port", "http_port", "report_port"])
def test_a_port_in_use_is_named_with_its_setting_and_option(twoway_home: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(home=twoway_home, **ALL_FREE | {name: port})
        option = name.replace("_", "-")
        words = rf"port {port} of 127.0.0.1 is in use: .*TWOWAY_{name.upper()} or --{option}"
        with pytest.raises(StackError, match=words):
            with_free_ports(settings)


def test_two_settings_of_one_port_are_refused(twoway_home: Path) -> None:
    port = with_free_ports(Settings(home=twoway_home, **ALL_FREE)).http_port
    with pytest.raises(StackError, match=f"port {port} .*TWOWAY_REPORT_PORT"):
        with_free_ports(Settings(home=twoway_home, kafka_port=0, http_port=port, report_port=port))


@pytest.mark.parametrize(
    ("environment", "file", "partitions"),
    [
        pytest.param({}, "", 4, id="the local stack's own"),
        pytest.param({"TWOWAY_PARTITIONS": "12"}, "", 12, id="by the environment"),
        pytest.param({}, "partitions = 8\n", 8, id="by the file"),
    ],
)
def test_there_are_four_partitions_unless_the_setting_was_given(
    twoway_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    file: str,
    partitions: int,
) -> None:
    twoway_home.mkdir()
    (twoway_home / "settings.toml").write_text(file)
    for name, text in environment.items():
        monkeypatch.setenv(name, text)
    settings = load_settings(command_line={"home": twoway_home, **ALL_FREE})
    assert with_free_ports(settings).partitions == partitions


def test_a_process_of_the_stack_reads_the_very_settings(
    twoway_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWOWAY_TOKENS", "of-before")
    given = with_free_ports(
        Settings(home=twoway_home, tokens="a secret", block_seconds=0.25, tls_cert="", **ALL_FREE)
    )
    environment = settings_as_environment(given)
    assert environment["PATH"] == os.environ["PATH"]
    assert "a secret" not in environment.values()
    lines = secrets_as_lines(given)
    reads = "pipeline.setting_sources._standard_input"
    monkeypatch.setattr(reads, lambda: lines)
    assert load_settings(environment=environment) == replace(given, secrets_file="-")
    assert {each.name for each in fields(given)} - {"tokens"} == {
        name.removeprefix("TWOWAY_").lower() for name in environment if name.startswith("TWOWAY_")
    }


@pytest.mark.parametrize(
    ("host", "tls", "url"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:8080"),
        ("0.0.0.0", True, "https://127.0.0.1:8080"),  # noqa: S104 - a setting a user may choose
        ("::", False, "http://[::1]:8080"),
        ("::1", False, "http://[::1]:8080"),
    ],
)
def test_a_server_is_told_of_by_an_address_that_can_be_called(
    host: str, tls: bool, url: str
) -> None:
    assert url_of(host, 8080, tls=tls) == url
    assert where_to_call(host) in url


class Readiness(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def readiness(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Readiness) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "is_ready"), [(200, True), (503, False), (404, False)])
def test_ready_is_what_a_process_says_of_itself(
    readiness: HTTPServer, monkeypatch: pytest.MonkeyPatch, status: int, is_ready: bool
) -> None:
    monkeypatch.setattr(Readiness, "status", status)
    assert answers_ready("127.0.0.1", readiness.server_port) is is_ready


def test_nobody_listening_is_not_ready(twoway_home: Path) -> None:
    port = with_free_ports(Settings(home=twoway_home, **ALL_FREE)).http_port
    assert answers_ready("127.0.0.1", port) is False
    assert answers_ready("127.0.0.1", port, tls=True) is False


def test_a_stack_is_found_only_while_its_supervisor_runs(twoway_home: Path) -> None:
    assert find_stack(twoway_home) is None
    with hold(twoway_home):
        assert find_stack(twoway_home) is None
        (twoway_home / STACK_FILE).write_text(STACK.as_json())
        (twoway_home / BROKER_NAME).write_text("127.0.0.1:9\n")
        assert find_stack(twoway_home) == STACK
        assert bootstrap_of(Settings(home=twoway_home)) == "127.0.0.1:9"
    assert find_stack(twoway_home) is None
    with pytest.raises(StackError, match=r"no stack runs under .*home: start one with `twoway up"):
        bootstrap_of(Settings(home=twoway_home))


def test_a_broker_that_is_set_is_taken_as_it_is(twoway_home: Path) -> None:
    settings = Settings(home=twoway_home, kafka="kafka-1:9092,kafka-2:9092")
    assert bootstrap_of(settings) == "kafka-1:9092,kafka-2:9092"


def test_the_ready_file_has_the_four_names_of_the_contract() -> None:
    assert STACK.as_json() == (
        '{"kafka": "127.0.0.1:9", "ingest": "http://a", "report": "http://b",'
        ' "pids": {"ingest": 1}}\n'
    )


@pytest.mark.parametrize(
    ("server", "is_ours"),
    [
        ("127.0.0.1:9092", True),
        ("localhost:9092", True),
        ("[::1]:9092", True),
        ("127.9.9.9:1", True),
        ("kafka-1:9092", False),
        ("10.0.0.1:9092", False),
        ("localhost.example.com:9092", False),
        ("127.0.0.1", False),
    ],
)
def test_a_broker_is_of_this_machine_when_it_is_on_loopback(server: str, is_ours: bool) -> None:
    assert is_of_this_machine(server) is is_ours


def test_up_refuses_a_broker_of_another_machine(twoway_home: Path) -> None:
    with pytest.raises(StackError, match="TWOWAY_KAFKA"):
        supervisor.run(Settings(home=twoway_home, kafka="kafka-1:9092"))
    assert not twoway_home.exists()


def test_up_on_a_home_that_is_held_says_by_whom(twoway_home: Path) -> None:
    with hold(twoway_home), pytest.raises(StackError, match=rf"held by .*pid {os.getpid()}, since"):
        supervisor.run(replace(Settings(home=twoway_home), **ALL_FREE))
