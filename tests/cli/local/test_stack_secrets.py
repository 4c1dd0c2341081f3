"""A running stack: no process has a secret in its environment, and no log has one or a number."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.process.secret_settings import NEEDED_BY
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = {
    "tokens": "token-of-this-test",
    "basic_auth": "ann:word-of-this-test",
    "smpp_password": "smpp-pw",
    "ftp_password": "ftp-pw-of-this-test",
}
HANDSET = "447700940001"
TEXT = "Meet me at noon"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    home = migrated(tmp_path_factory.mktemp("secrets") / "home")
    ways = {"smpp_host": "127.0.0.1", "smpp_port": "9", "ftp_host": "127.0.0.1", "ftp_port": "9"}
    names = {"smpp_system_id": "two", "smpp_tls": "off", "ftp_user": "customer", "ftp_tls": "off"}
    stack = RunningStack(home, settings=SECRETS | ways | names)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.mark.broker
def test_no_process_has_a_secret_in_its_environment(running: RunningStack) -> None:
    assert set(running.stack.pids) == {"kafka", "ingest", "worker", "store", "smpp", "ftp"}
    for pid in running.stack.pids.values():
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        for name, secret in SECRETS.items():
            assert secret not in environment, f"{name}, needed by {NEEDED_BY[name]}"
            assert secret not in command


@pytest.mark.broker
def test_a_process_that_needs_a_secret_has_it(running: RunningStack) -> None:
    query = f"from={HANDSET}&to=447700900999&text={TEXT.replace(' ', '+')}"
    url = f"{running.stack.ingest}/t/{SECRETS['tokens']}/mo/http?{query}"
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("token-", "wrong-"))  # noqa: S310 - our own


@pytest.mark.broker
def test_no_log_of_the_stack_has_a_secret_a_number_or_a_text(running: RunningStack) -> None:
    said = "\n".join(
        log.read_text(errors="replace")
        for log in (running.log, *(running.home / "logs").glob("*.log"))
    )
    assert "cannot be reached" in said
    for value in (*SECRETS.values(), HANDSET, TEXT):
        assert value not in said
