"""Users of the report of a whole stack: by TLS, without a restart, and written down."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.store.report.who.users_file import USERS_FILE
from tests.store.report.serving_report import sign_in

if TYPE_CHECKING:
    import httpx

    from tests.support.equipped import Equipped

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery"


def test_users_come_and_go_without_a_restart_and_what_they_take_is_written_down(
    equipped: Equipped,
) -> None:
    """A file of users that is gone lets nobody in: later tests show the token of the home."""
    with equipped.browser() as client:
        users_come_and_go(equipped, client)


def users_come_and_go(equipped: Equipped, client: httpx.Client) -> None:
    stack, rows, until = equipped.running, equipped.rows, equipped.until

    def has_to_sign_in() -> bool:
        return client.get("/list/lines").status_code == 401

    assert stack.stack.report.startswith("https://")
    assert rows("SELECT 1 AS one") == [{"one": 1}]
    assert client.get("/list/lines").status_code == 200
    rights = ("--right", "numbers", "--right", "download")
    stack.cli("user", "add", "anna", *rights, stdin=f"{PASSWORD}\n")
    until(has_to_sign_in, "the first user")
    # The command line goes on by the token of the home.
    assert rows("SELECT 2 AS two") == [{"two": 2}]
    assert stack.cli("report", "lines").stdout.startswith("\ufeffat,")
    assert "everything" not in stack.cli("status").stderr
    signed_in = sign_in(client, "anna", PASSWORD)
    assert signed_in.status_code == 303
    assert "Secure" in signed_in.headers["Set-Cookie"]
    assert client.get("/csv/opt-outs?from=2026-03-01&handset=447700900001").status_code == 200
    assert client.get("/list/lines?text=hello").status_code == 400
    (stack.home / USERS_FILE).write_text("[[user]]\nname = 3\n")
    until(has_to_sign_in, "a file with a mistake lets nobody in")
    told = stack.cli("user", "list", check=False)
    assert told.returncode == 1
    assert f"{USERS_FILE}:2: user.name: must be text in quotes" in told.stderr
    question = "SELECT actor, action, what, given FROM report_access ORDER BY at"
    until(lambda: "anna" in {row["actor"] for row in rows(question)}, "what anna took")
    found = rows(question)
    assert {"actor": "anna", "action": "download", "what": "csv opt-outs",
            "given": "from=2026-03-01&handset=…"} in found  # fmt: skip
    assert {"actor": "command-line", "action": "sql", "what": "SELECT ? AS two",
            "given": ""} in found  # fmt: skip
    assert "447700900001" not in json.dumps(found)
    log = (stack.home / "logs" / "store.log").read_text()
    assert "nobody signs in to the report by a password" in log
    assert PASSWORD not in log
