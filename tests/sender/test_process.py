"""`twoway sender` as a process, without a broker: it waits, says so, and ends when told to."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pipeline.process.stop import EXIT_FAILED
from pipeline.sender.process import first_of
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from pathlib import Path

APIS = """
[[api]]
api_id = "3155"
way = "http"
url = "http://127.0.0.1:1"
tls = "off"
user = "two"
password = "hush"
"""


def written(folder: Path) -> Path:
    file = folder / "apis.toml"
    file.write_text(APIS)
    file.chmod(0o600)
    return file


def test_a_sender_whose_broker_is_away_waits_and_ends_when_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    settings = {"kafka": "127.0.0.1:1", "home": str(tmp_path), "apis": str(written(tmp_path))}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "sender"],
            env=environment_without_settings(settings),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 60
        while log.read_text().count("nothing is read, again in") < 2:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert "KafkaConnectionError" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_defect_ends_the_process_with_words(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path\n"
        "from pipeline.sender import process\n"
        "from pipeline.settings import Settings\n"
        "async def feed(*_, **__):\n"
        "    raise KeyError('a defect')\n"
        "process.feed = feed\n"
        f"process.run(Settings(kafka='127.0.0.1:1', home=Path({str(tmp_path)!r})))\n"
    )
    written(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment_without_settings(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == EXIT_FAILED, done.stderr
    assert "sending met a defect: KeyError" in done.stderr
    assert "sending met a defect" in (tmp_path / "troubles" / "ends.jsonl").read_text()


def test_the_first_of_a_group_is_what_is_said() -> None:
    inner = ExceptionGroup("inner", [KeyError("a"), ValueError("b")])
    assert repr(first_of(ExceptionGroup("outer", [inner]))) == "KeyError('a')"
    assert repr(first_of(OSError("x"))) == "OSError('x')"
