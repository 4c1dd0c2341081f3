"""A running stack: no process has a secret in its environment, and no log has one or a number."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.process.secret_settings import NEEDED_BY
from tests.support.equipped import SECRETS

if TYPE_CHECKING:
    from tests.support.equipped import Equipped

pytestmark = pytest.mark.broker

HANDSET = "447700940001"
TEXT = "Meet me at noon"
PROCESSES = {"kafka", "ingest", "worker", "store", "smpp", "ftp", "deliver", "accounts"}


def test_no_process_has_a_secret_in_its_environment(equipped: Equipped) -> None:
    pids = equipped.running.stack.pids
    assert set(pids) == PROCESSES
    for pid in pids.values():
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        for name, secret in SECRETS.items():
            assert secret not in environment, f"{name}, needed by {NEEDED_BY[name]}"
            assert secret not in command


def test_a_process_that_needs_a_secret_has_it(equipped: Equipped) -> None:
    query = f"from={HANDSET}&to=447700900999&text={TEXT.replace(' ', '+')}"
    url = f"{equipped.running.stack.ingest}/t/{SECRETS['tokens']}/mo/http?{query}"
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("token-", "wrong-"))  # noqa: S310 - our own


def test_no_log_of_the_stack_has_a_secret_a_number_or_a_text(equipped: Equipped) -> None:
    running = equipped.running
    said = "\n".join(
        log.read_text(errors="replace")
        for log in (running.log, *(running.home / "logs").glob("*.log"))
    )
    assert "cannot be reached" in said
    for value in (*SECRETS.values(), HANDSET, TEXT):
        assert value not in said
