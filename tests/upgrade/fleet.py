"""Processes of an installation, each of the old release or of the new one."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.ports import LOOPBACK, free_port
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY_SECONDS: Final = 120.0
END_SECONDS: Final = 60.0
#: The setting that has the port at which a process says whether it is ready.
PORT_OF: Final = {"worker": "metrics_port", "ingest": "http_port", "store": "report_port"}


class Fleet:
    """The processes, by name: `worker-1`, `ingest`. Every name keeps its home and its port."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self._folder = folder
        self._settings = {"suppression_key": str(folder / "suppression-key")} | dict(settings)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports: dict[str, int] = {}

    def address(self, name: str) -> str:
        """Where a process answers."""
        return f"http://{LOOPBACK}:{self._port(name)}"

    def run(self, release: Path, *words: str) -> None:
        """Run a module of a release to its end: `deploy.create_topics`, a command."""
        with self._log("cli").open("ab") as output:
            subprocess.run(
                [sys.executable, "-P", "-m", *words],
                env=self._environment(release, "cli"),
                check=True,
                timeout=READY_SECONDS,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def origin(self, release: Path) -> str:
        """The file from which a process of a release takes the product."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", "import pipeline; print(pipeline.__file__)"],
            env=self._environment(release, "cli"),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def start(self, release: Path, name: str) -> None:
        """Start a process of a release, and wait until it is ready."""
        command = name.partition("-")[0]
        given = {PORT_OF[command]: str(self._port(name))}
        if command == "worker":
            given["instance"] = name
        with self._log(name).open("ab") as output:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.cli.main", command],
                env=self._environment(release, name, given),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self._is_ready(name):
            status = self._processes[name].poll()
            assert status is None, f"{name} ended with {status}: {self.said(name)}"
            assert time.monotonic() < deadline, f"{name} is not ready: {self.said(name)}"
            time.sleep(0.1)

    def stop(self, name: str) -> None:
        """Stop a process in an orderly way."""
        process = self._processes.pop(name)
        process.terminate()
        assert process.wait(END_SECONDS) == 0, self.said(name)

    def end(self) -> None:
        """Kill what is left."""
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._processes.clear()

    def said(self, name: str) -> str:
        """The end of a process's log."""
        return self._log(name).read_text(errors="replace")[-3_000:]

    def _log(self, name: str) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{name}.log"

    def _port(self, name: str) -> int:
        if name not in self._ports:
            self._ports[name] = free_port(avoid=set(self._ports.values()))
        return self._ports[name]

    def _environment(
        self, release: Path, name: str, given: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        settings = {"home": str(self._folder / name), **self._settings, **(given or {})}
        return environment_without_settings(settings) | {"PYTHONPATH": str(release)}

    def _is_ready(self, name: str) -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, self._port(name), timeout=2)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False
