"""A handset and an application talk by the gateway's stand-in, and each sees the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.gateway.files import where
from tests.support.looking import looks
from tests.support.running import run_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.played import Played
    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

HANDSET, NUMBER = "447700900003", "447700900999"
MESSAGES = f"SELECT message_id FROM mo_message WHERE handset != '{HANDSET}'"
STATES = f"SELECT state, code FROM mt_now WHERE handset = '{HANDSET}'"


def wait(what: Callable[[], Any], running: RunningStack) -> Any:
    for _ in looks(seconds=60):
        if found := what():
            return found
    raise AssertionError(running.said())


def test_a_handset_and_an_application_talk_through_the_stand_in(played: Played) -> None:
    assert played.loud_at_start == [], "a start that is well warns of nothing"
    running, home = played.running, played.home
    assert (home / "apis.toml").stat().st_mode & 0o777 == 0o600
    assert set(running.stack.pids) >= {"gateway", "sender", "smpp", "ftp"}
    assert set(where(home)) == {"http", "https", "xml", "soap", "smpp", "smpps", "smtp", "ftp"}

    # A text is whole in mo-message, by the way that it went; its number is in the directory.
    ids: dict[str, list[str]] = {}
    for way in ("http-get", "smpp", "ftp"):
        text = f"Hello 👋 by {way}, " + "and more " * 10
        done = running.cli("text", HANDSET, NUMBER, text, "--mo-way", way)
        ids[text] = done.stdout.split()
    assert all(len(parts) == 2 for parts in ids.values())
    earlier = running.cli("sql", MESSAGES).stdout.count("\n")
    line = ("consume", "mo-message", "--from-beginning", "--max", str(earlier + 3))
    printed = running.cli(*line).stdout
    found = [json.loads(line)["value"] for line in printed.splitlines()]
    messages = {each["text"]: each for each in found if each["handset"] == HANDSET}
    assert set(messages) == set(ids)
    assert all(each["flags"] == [] for each in messages.values())

    # An MT is sent by the sender, delivered by the stand-in, and reported.
    line = ("mt", "--to", HANDSET, "--from", NUMBER, "--text", "Hello yourself", "--wait")
    assert running.cli(*line).stdout.splitlines()[-1].startswith("now: ")

    def delivered() -> int:
        return running.cli("sql", STATES).stdout.count('"delivered"')

    wait(delivered, running)
    seen = map(json.loads, running.cli("gateway", "seen").stdout.splitlines())
    (ours,) = (each for each in seen if each["to"] == HANDSET)
    assert (ours["from"], ours["text"]) == (NUMBER, "Hello yourself")

    # The handset in a terminal shows both.
    phone = run_cli("phone", HANDSET, home=home, stdin="One more\n").stdout
    assert f"< {NUMBER}  Hello yourself" in phone
    assert f"> {NUMBER}  One more" in phone

    # Six hours on both sides: the confirmation leaves in time, and the stand-in sends none.
    running.cli("text", HANDSET, NUMBER, "STOP")

    def is_stopped() -> bool:
        sql = f"SELECT state FROM consent_change WHERE handset = '{HANDSET}'"
        return "confirmation-due" in running.cli("sql", sql).stdout

    wait(is_stopped, running)
    running.cli("clock", "advance", "6h")
    phone = run_cli("phone", HANDSET, home=home).stdout
    said = [text for text in phone.splitlines() if "no longer receive messages" in text]
    assert len(said) == 1, phone
    assert "stopped for 447700900999 (the customer confirmed the stop)" in phone
    assert delivered() == 2
    twice = running.cli("gateway", "seen", "--twice")
    assert (twice.returncode, twice.stdout) == (0, "")
