"""Each process gets the secrets that it needs, and no environment holds a secret."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.local.stack_settings import settings_as_environment
from pipeline.home.process import CannotStart, start_process, stop_process
from pipeline.process.secret_settings import NEEDED_BY, secrets_as_lines, secrets_of, settings_of
from pipeline.settings import SECRETS as SECRET_SETTINGS
from pipeline.settings import Settings, SettingsError, load_settings

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {
    "tokens": "token-of-ours",
    "basic_auth": 'ann:"pa\\ss\x7f wörd',
    "smpp_password": "smpp-pw",
    "ftp_password": "ftp-pw",
    "clickhouse": "http://twoway:click-pw@127.0.0.1:8123",
}
CHILD = """
import json, pathlib, sys
from pipeline.settings import load_settings
settings = load_settings()
found = {name: getattr(settings, name) for name in json.loads(sys.argv[1])}
environment = pathlib.Path("/proc/self/environ").read_bytes().decode()
print(json.dumps({"found": found, "environment": environment, "left": sys.stdin.read()}))
"""


def test_every_setting_that_sounds_like_a_secret_is_one() -> None:
    named = {each.name for each in fields(Settings)}
    sounding = ("password", "tokens", "basic_auth", "client_secret")
    sounds = {name for name in named if any(it in name for it in sounding)}

    assert sounds <= set(NEEDED_BY) <= named
    assert set(NEEDED_BY) == SECRET_SETTINGS


@pytest.mark.parametrize("process", ["ingest", "worker", "store", "smpp", "ftp"])
def test_a_process_gets_its_own_secrets_and_no_environment_has_one(
    tmp_path: Path, process: str
) -> None:
    (tmp_path / "settings.toml").write_text('ftp_password = "ftp-pw"\n')
    given = settings_of(Settings(home=tmp_path, **SECRETS), process)
    log = tmp_path / "log"
    child = start_process(
        [sys.executable, "-c", CHILD, json.dumps(list(SECRETS))],
        environment=settings_as_environment(given),
        log=log,
        given=secrets_as_lines(given).encode(),
    )
    try:
        assert child.wait(30) == 0, log.read_text()
    finally:
        stop_process(child, patience_seconds=1)
    said = json.loads(log.read_text())

    assert said["found"] == {
        name: text if process in NEEDED_BY[name] else "" for name, text in SECRETS.items()
    }
    assert said["left"] == ""
    for text in (*SECRETS.values(), "click-pw"):
        assert text not in said["environment"]


def test_more_than_a_pipe_holds_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    with pytest.raises((CannotStart, BlockingIOError)):
        start_process(["true"], environment={}, log=tmp_path / "log", given=b"x" * 10_000_000)


def test_a_file_of_secrets_is_read_and_a_missing_one_named(tmp_path: Path) -> None:
    file = tmp_path / "secrets.toml"
    file.write_text('tokens = "from-file"\n')
    environment = {"TWOWAY_SECRETS_FILE": str(file), "TWOWAY_TOKENS": "from-environment"}

    assert load_settings(environment=environment).tokens == "from-file"
    with pytest.raises(SettingsError, match="secrets_file /no/such"):
        load_settings(environment={"TWOWAY_SECRETS_FILE": "/no/such"})


def test_what_is_masked_is_each_secret_by_itself() -> None:
    found = set(secrets_of(Settings(**SECRETS | {"tokens": "one, two"})))

    assert {"one", "two", "smpp-pw", "ftp-pw", "click-pw", '"pa\\ss\x7f wörd'} <= found
