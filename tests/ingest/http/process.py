"""An ingest process for one test."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.cli.local.ports import free_port
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from pathlib import Path

RUN = (
    "from pipeline.settings import load_settings\n"
    "from ingest.http.process import run\n"
    "run(load_settings())"
)
PATIENCE_SECONDS = 60.0


@dataclass
class IngestProcess:
    """A process that was started; call `wait_until` before other methods."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    context: ssl.SSLContext | None = None

    def call(
        self,
        target: str,
        *,
        body: bytes | None = None,
        timeout_seconds: float = 10.0,
        **headers: str,
    ) -> tuple[int, bytes]:
        """Status and body; a POST if a body is given."""
        if self.context is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_seconds)
        else:
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=timeout_seconds, context=self.context
            )
        try:
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET" if body is None else "POST", target, body, names)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def status_of(self, target: str, **how: Any) -> int:
        """The status alone; 0 if nothing listens."""
        try:
            return self.call(target, **how)[0]
        except ConnectionError:
            return 0

    def wait_until(self, target: str, status: int) -> None:
        """Ask until this is the answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (answered := self.status_of(target)) != status:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"{target} is {answered}: {self.log.read_text()}"
            time.sleep(0.05)

    def mt_status(self, request_id: str) -> dict[str, Any]:
        """The answer of GET /mt/{request_id}."""
        status, body = self.call(f"/mt/{request_id}")
        return json.loads(body) if status == 200 else {"state": status}


@contextmanager
def ingest_process(
    folder: Path, settings: Mapping[str, object], *, context: ssl.SSLContext | None = None
) -> Iterator[IngestProcess]:
    """Start one on a free port; end it with SIGTERM."""
    port = free_port()
    given = {name: str(value) for name, value in settings.items()} | {"http_port": str(port)}
    log = folder / "ingest.log"
    with log.open("wb") as file, (folder / "ingest.out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", RUN],
            env=environment_without_settings({"home": str(folder)} | given),
            stdout=out,
            stderr=file,
        )
    try:
        yield IngestProcess(process, port, log, context)
    finally:
        process.terminate()
        process.wait(20)
