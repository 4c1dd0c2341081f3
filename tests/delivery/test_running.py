"""`twoway deliver` in a whole stack: the schedule on a clock that is advanced, and the commands."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import urlopen

import pytest

from tests.support.looking import looks
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]

HANDSET, NUMBER = "447900000001", "447700900100"


class Receiver:
    """An application that refuses until it is well."""

    def __init__(self) -> None:
        self.is_well = False
        self.got: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                pairs = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
                receiver.got.append({name: values[0] for name, values in pairs.items()})
                self.send_response(200 if receiver.is_well else 500)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/sms?key=1"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def running(tmp_path: Path, receiver: Receiver) -> Iterator[RunningStack]:
    home = migrated(tmp_path / "home")
    number = f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\nreply_path = "crm"\n'
    path = f'[reply_path.crm]\nway = "http-get"\nurl = "{receiver.url}"\n'
    (home / "numbers.toml").write_text(number + path)
    running = RunningStack(home, settings={"partitions": "2"})
    running.start()
    yield running
    running.stop(within_seconds=60)


def until(holds: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    for _ in looks(seconds=seconds):
        if holds():
            return
    raise AssertionError(what)


def listed(running: RunningStack) -> list[dict[str, Any]]:
    said = running.cli("delivery", "list", "--all", "--json").stdout
    return [json.loads(line) for line in said.splitlines()]


def test_a_dead_application_gets_eight_attempts_and_a_retry_once_it_is_well(
    running: RunningStack, receiver: Receiver
) -> None:
    query = {
        "api_id": "1",
        "from": HANDSET,
        "to": NUMBER,
        "text": "hello",
        "charset": "ISO-8859-1",
        "udh": "",
        "moMsgId": "a1",
    }
    with urlopen(f"{running.stack.ingest}/mo/http?{urlencode(query)}") as said:  # noqa: S310 - ours
        assert said.status == 200
    until(lambda: len(receiver.got) == 1, "the first attempt")
    for attempt, minutes in enumerate((2, 4, 8, 16, 32, 64, 128), start=1):
        until(
            lambda at=attempt: [each["attempts"] for each in listed(running)] == [at],  # type: ignore[misc]
            f"attempt {attempt} is not known",
        )
        assert len(receiver.got) == attempt
        # Its time came when the result was taken, which is after the clock's last step.
        running.cli("clock", "advance", f"{minutes}m")
        until(lambda at=attempt: len(receiver.got) == at + 1, f"after {minutes} minutes")  # type: ignore[misc]
    until(lambda: [e["state"] for e in listed(running)] == ["given-up"], "it is not given up")
    (row,) = listed(running)
    assert (row["attempts"], row["status"], row["path"]) == (8, "500", "crm")
    letters = running.cli("dead-letter", "list").stdout
    assert "delivery-given-up" in letters
    assert {each["from"] for each in receiver.got} == {HANDSET}
    assert {each["key"] for each in receiver.got} == {"1"}
    refused = running.cli("dead-letter", "retry", row["delivery_id"], check=False)
    assert "twoway delivery retry" in refused.stderr

    receiver.is_well = True
    running.cli("delivery", "retry", row["delivery_id"])
    until(lambda: len(receiver.got) == 9, "the retry")
    until(lambda: [e["state"] for e in listed(running)] == ["delivered"], "it is not delivered")
    again = running.cli("delivery", "retry", row["delivery_id"], check=False)
    assert again.returncode == 0, "its dead letter is still there, so it goes once more"
    until(lambda: len(receiver.got) == 10, "the second retry")
    shown = running.cli("delivery", "replay", "--since", "2020-01-01").stdout
    assert shown.startswith("1 messages would be")
    running.cli("delivery", "replay", "--since", "2020-01-01", "--yes")
    until(lambda: len(receiver.got) == 11, "the replay")
    assert len({each["moMsgId"] for each in receiver.got}) == 1
