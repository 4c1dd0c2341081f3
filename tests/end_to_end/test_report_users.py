"""Users of the report of a whole stack: by TLS, without a restart, and written down."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme

from pipeline.store.report.who.users_file import USERS_FILE
from tests.store.report.serving_report import sign_in
from tests.support.looking import looks
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
PASSWORD = "correct horse battery"


def rows(stack: Any, sql: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stack.cli("sql", sql).stdout.splitlines()]


def test_users_come_and_go_without_a_restart_and_what_they_take_is_written_down(
    stack_factory: Any, tmp_path: Path
) -> None:
    ca = trustme.CA()
    certificate, key = tmp_path / "report.pem", tmp_path / "report.key"
    issued = ca.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    stack = stack_factory()
    migrated(stack.home)
    (stack.home / "settings.toml").write_text(
        f'report_tls_cert = "{certificate}"\nreport_tls_key = "{key}"\n'
    )
    stack.start()
    assert stack.stack.report.startswith("https://")
    assert rows(stack, "SELECT 1 AS one") == [{"one": 1}]
    trusted = ssl.create_default_context()
    ca.configure_trust(trusted)
    with httpx.Client(base_url=stack.stack.report, verify=trusted, timeout=60) as client:
        assert client.get("/list/lines").status_code == 200
        rights = ("--right", "numbers", "--right", "download")
        stack.cli("user", "add", "anna", *rights, stdin=f"{PASSWORD}\n")
        _until(lambda: client.get("/list/lines").status_code == 401)
        # The command line goes on by the token of the home.
        assert rows(stack, "SELECT 2 AS two") == [{"two": 2}]
        assert stack.cli("report", "lines").stdout.startswith("\ufeffat,")
        assert "everything" not in stack.cli("status").stderr
        signed_in = sign_in(client, "anna", PASSWORD)
        assert signed_in.status_code == 303
        assert "Secure" in signed_in.headers["Set-Cookie"]
        assert client.get("/csv/opt-outs?from=2026-03-01&handset=447700900001").status_code == 200
        assert client.get("/list/lines?text=hello").status_code == 400
        (stack.home / USERS_FILE).write_text("[[user]]\nname = 3\n")
        _until(lambda: client.get("/list/lines").status_code == 401)
    told = stack.cli("user", "list", check=False)
    assert told.returncode == 1
    assert f"{USERS_FILE}:2: user.name: must be text in quotes" in told.stderr
    question = "SELECT actor, action, what, given FROM report_access ORDER BY at"
    _until(lambda: "anna" in {row["actor"] for row in rows(stack, question)})
    found = rows(stack, question)
    assert {"actor": "anna", "action": "download", "what": "csv opt-outs",
            "given": "from=2026-03-01&handset=…"} in found  # fmt: skip
    assert {"actor": "command-line", "action": "sql", "what": "SELECT ? AS two",
            "given": ""} in found  # fmt: skip
    assert "447700900001" not in json.dumps(found)
    log = (stack.home / "logs" / "store.log").read_text()
    assert "nobody signs in to the report by a password" in log
    assert PASSWORD not in log


def _until(is_so: Any) -> None:
    assert any(is_so() for _ in looks(seconds=60))
