"""The commands that ask, against the running stack: forms, ready questions, the past."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from datetime import timedelta

import pytest

from pipeline.cli.records.ready_questions import ready_questions
from tests.support.rented_numbers import ANN
from tests.support.running import environment_without_settings

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

QUERY = "SELECT text, handset FROM mo_message WHERE handset = {h:String}"


def test_sql_answers_in_three_forms_from_standard_input(outside, handset):
    outside.text(handset, "=1+1")
    outside.rows("mo_message", handset)
    told = {
        form: outside.running.cli(
            "sql", "--param", f"h={handset}", "--format", form, stdin=QUERY
        ).stdout
        for form in ("json", "table", "csv")
    }
    assert json.loads(told["json"]) == {"text": "=1+1", "handset": handset}
    assert told["table"].splitlines() == ["text  handset", f"=1+1  {handset}"]
    assert list(csv.reader(io.StringIO(told["csv"]))) == [["text", "handset"], ["'=1+1", handset]]


def test_every_ready_question_is_one_that_clickhouse_answers(outside, handset):
    outside.text(handset, "Hello")
    command = outside.decided(outside.ask_mt(to=handset, text="Hello yourself"))
    outside.rows("mt_command", handset)
    now = f"{outside.clock.now() + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    given = {
        "handset": handset,
        "at": now,
        "known_at": now,
        "since": "2026-01-01T00:00:00Z",
        "command_id": command["command_id"],
    }
    told = {}
    for name, question in ready_questions().items():
        words = [f"--param={each}={given[each]}" for each in question.parameters]
        told[name] = outside.running.cli("ask", name, "--format", "json", *words).stdout
    (judged,) = [json.loads(line) for line in told["open-when-sent"].splitlines()]
    assert (judged["handset"], judged["open_as_we_knew"]) == (handset, 1)


def test_why_says_what_was_true_and_what_was_known(outside, handset):
    outside.text(handset, "STOP", minutes="-30")
    (change,) = outside.rows("consent_change", handset)
    ago = f"{outside.clock.now() - timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}"

    def why(*words):
        told = outside.running.cli("why", handset, ANN, "--json", *words).stdout
        return [json.loads(line) for line in told.splitlines()]

    (now,) = why()
    (was_true,) = why("--at", ago)
    (was_known,) = why("--at", ago, "--known-at", ago)
    assert [row["passes"] for row in (now, was_true, was_known)] == [False, False, True]
    assert now["ours_since"]["mo_message_id"] == change["mo_message_id"]
    words = outside.running.cli("why", handset, ANN, "--at", ago).stdout
    assert words.startswith(f"as it was at {ago}, by what we knew today")


def test_status_is_well_and_is_watched_until_ctrl_c(outside):
    outside.running.cli("status", "--check")
    home = str(outside.running.home)
    words = ["status", "--watch", "0.1", "--json", "--home", home]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli.main", *words],
        env=environment_without_settings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        for _ in range(2):
            assert json.loads(process.stdout.readline())["down"] == {}
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert b"Traceback" not in said
