"""The example applications beside a stack with the gateway's stand-in, killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from pipeline.avro.single_object import SCHEMAS
from pipeline.gateway.truth import seen_in
from tests.support.installing import installed_by_npm, installed_by_pip, tool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.played import Played
    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(480)]

EXAMPLES = SCHEMAS.parent / "deploy/examples"
NUMBER = "447700900999"
ANSWER = "We are open from 9 to 17, Monday to Friday."
WITHIN_SECONDS = 60.0


def of_python(_: Path) -> tuple[list[str], dict[str, str]]:
    """The example's command and variables: with its own packages and nothing of ours."""
    words = [sys.executable, "-S", str(EXAMPLES / "python/autoresponder.py")]
    return words, {
        "PYTHONPATH": str(installed_by_pip("example-python", EXAMPLES / "python/requirements.txt"))
    }


def of_node(folder: Path) -> tuple[list[str], dict[str, str]]:
    """As `of_python`; Node looks for packages beside the file."""
    words = [tool("node"), str(folder / "autoresponder.mjs")]
    packages = installed_by_npm("example-node", EXAMPLES / "node")
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "node_modules").symlink_to(packages / "node_modules")
    return words, {}


@dataclass
class Between:
    """Stands between an example and ingest; may kill the example before it hears the answer."""

    ingest: str
    answers: list[tuple[str, int]] = field(default_factory=list)
    passed_on: int = 0
    to_kill: subprocess.Popen[bytes] | None = None
    url: str = ""

    def pass_on(self, key: str, body: bytes) -> httpx.Response | None:
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = httpx.post(f"{self.ingest}/mt", content=body, headers=headers, timeout=30)
        self.answers.append((key, answer.status_code))
        if self.to_kill is None:
            self.passed_on += 1
            return answer
        self.to_kill.send_signal(signal.SIGKILL)
        self.to_kill.wait()
        self.to_kill = None
        return None


@contextmanager
def between(ingest: str) -> Iterator[Between]:
    """Serve on a free port."""
    standing = Between(ingest)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = standing.pass_on(self.headers["Idempotency-Key"], body)
            if answer is None:
                return
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    standing.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield standing
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Example:
    """An example application as a process, which may be started again."""

    words: list[str]
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.words,
                env=self.environment,
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def end(self) -> int:
        """As Ctrl-C ends it; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WITHIN_SECONDS)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def running(played: Played) -> RunningStack:
    """The stack with the stand-in, and the number of the examples."""
    played.running.cli("numbers", "load", str(EXAMPLES / "numbers.toml"))
    return played.running


def until(seen: Callable[[], Any], what: str, example: Example, running: RunningStack) -> None:
    """Wait until `seen` is true."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not seen():
        said = example.log.read_text(errors="replace")
        assert time.monotonic() < deadline, f"not seen: {what}\n{said}\n{running.said()}"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("made_of", "handsets"),
    [
        pytest.param(of_python, "44790011000{}", id="python"),
        pytest.param(of_node, "44790022000{}", id="node"),
    ],
)
def test_each_question_has_one_answer_though_the_example_is_killed_in_the_middle(
    made_of: Callable[[Path], tuple[list[str], dict[str, str]]],
    handsets: str,
    running: RunningStack,
    tmp_path: Path,
) -> None:
    words, variables = made_of(tmp_path / "example")
    first, cut_off, after, other = (handsets.format(each) for each in range(1, 5))

    def shown(handset: str) -> list[str]:
        """The texts that the stand-in took for a handset, in order."""
        return [each["text"] for each in seen_in(running.home) if each["to"] == handset]

    def ask(handset: str, text: str) -> None:
        running.cli("text", handset, NUMBER, text)

    with between(running.stack.ingest) as ingest:
        environment = {
            "PATH": os.environ["PATH"],
            "KAFKA": running.stack.kafka,
            "INGEST": ingest.url,
            "SCHEMAS": str(SCHEMAS),
            **variables,
        }
        example = Example(words, environment, tmp_path / "example.log")
        killed = example.start()
        try:
            ask(first, "Hours")
            until(lambda: ingest.passed_on == 1, "the first is asked for", example, running)
            until(lambda: shown(first), "the first answer", example, running)
            ingest.to_kill = killed
            ask(cut_off, " hours ")
            until(lambda: killed.poll() is not None, "the kill", example, running)
            example.start()
            ask(other, "Where are you?")
            ask(after, "HOURS")
            until(lambda: shown(after), "the answer after the kill", example, running)
            key, _ = ingest.answers[1]
            until(lambda: ingest.answers.count((key, 202)) == 2, "it asks again", example, running)
            assert example.end() == 0, example.log.read_text()
        finally:
            example.kill()
    # MTs to one handset leave in their order: what an answer sent twice would stand before.
    running.cli("mt", "--to", cut_off, "--from", NUMBER, "--text", "Goodbye")
    until(lambda: "Goodbye" in shown(cut_off), "the last MT", example, running)
    assert {each: shown(each) for each in (first, cut_off, after, other)} == {
        first: [ANSWER],
        cut_off: [ANSWER, "Goodbye"],
        after: [ANSWER],
        other: [],
    }
    assert len(ingest.answers) == 4
    running.cli("gateway", "seen", "--twice")
