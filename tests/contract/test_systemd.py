"""The units of `deploy/systemd`: by systemd's own check where it is, and against the code."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.process.secret_settings import NEEDED_BY
from pipeline.settings import PREFIX, load_settings
from tests.contract.compose_file import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy" / "systemd"
ANALYZE = shutil.which("systemd-analyze") or ""
UNITS = sorted(each for each in FOLDER.iterdir() if each.suffix != ".md")
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
BY_NAME = [pytest.param(unit, id=unit.name) for unit in SERVICES]


def values(unit: Path, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


@pytest.mark.skipif(not ANALYZE, reason="no systemd-analyze: apt-get install systemd (Debian)")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_knows_every_line(unit: Path, tmp_path: Path) -> None:
    """Here the program is not installed, so another stands for it."""
    for each in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/usr/bin/true", each.read_text(), flags=re.M)
        (tmp_path / each.name).write_text(text)
    checked = tmp_path / unit.name.replace("@.", "@1.")
    if checked.name != unit.name:
        shutil.copy(tmp_path / unit.name, checked)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", str(checked)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.parametrize("unit", BY_NAME)
def test_the_environment_is_settings_and_no_secret(unit: Path, tmp_path: Path) -> None:
    variables = dict(each.split("=", 1) for each in values(unit, "Environment"))
    assert not {f"{PREFIX}{secret}".upper() for secret in NEEDED_BY} & set(variables)
    (tmp_path / "secrets.toml").write_text("")
    variables[f"{PREFIX}SECRETS_FILE"] = str(tmp_path / "secrets.toml")
    assert load_settings(environment=variables)


@pytest.mark.parametrize("unit", BY_NAME)
def test_a_service_has_its_own_user_and_its_secrets_from_a_file(unit: Path) -> None:
    assert values(unit, "User") == ["twoway"]
    assert values(unit, "NoNewPrivileges") == ["yes"]
    assert values(unit, "ProtectSystem") == ["strict"]
    (credential,) = values(unit, "LoadCredential")
    assert credential.startswith("secrets.toml:/etc/twoway/secrets/")


def test_what_runs_is_started_again_and_has_limits() -> None:
    running = [unit for unit in SERVICES if "@" in unit.name]
    assert len(running) == 2
    for unit in running:
        assert values(unit, "Restart") == ["always"]
        assert values(unit, "StartLimitIntervalSec") == ["0"]  # however long Kafka is away
        assert values(unit, "MemoryMax")


def test_the_commands_exist() -> None:
    lines = [line for unit in SERVICES for line in values(unit, "ExecStart")]
    named = {line.split("twoway ", 1)[1] for line in lines if "twoway " in line}
    assert named == {"%i", "worker"}
    for process in ("ingest", "store", "sender", "deliver", "smpp", "ftp", "worker"):
        assert CliRunner().invoke(app, [process, "--help"]).exit_code == 0
