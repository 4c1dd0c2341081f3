"""A process that Kafka refuses ends at once, with words for `twoway status`, and no traceback."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.process import troubles
from pipeline.process.stop import EXIT_FAILED
from tests.kafka.login.conftest import USER
from tests.support.running import environment_without_settings, run_cli

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.secured_kafka import SecuredKafka

pytestmark = pytest.mark.broker

WRONG = "quite-another"
APIS = '[[api]]\napi_id = "1"\nway = "http"\nurl = "http://127.0.0.1:1"\ntls = "off"\nuser = "u"\n'


def given(broker: SecuredKafka, home: Path, **changed: str) -> dict[str, str]:
    (home / "apis.toml").write_text(f'{APIS}password = "p"\n')
    (home / "apis.toml").chmod(0o600)
    return (
        broker.settings(USER) | {"home": str(home), "http_port": "0", "report_port": "0"} | changed
    )


@pytest.mark.parametrize("process", ["ingest", "worker", "sender"])
def test_a_wrong_password_ends_the_process_with_words(
    secured: SecuredKafka, tmp_path: Path, process: str
) -> None:
    settings = given(secured, tmp_path, kafka_sasl_password=WRONG)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", process],
        env=environment_without_settings(settings),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == EXIT_FAILED, done.stderr
    words = f"Kafka at {secured.sasl}: it refuses user {USER}"
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert WRONG not in done.stderr
    ((name, told),) = troubles.ended(tmp_path, now=time.time())
    assert name == process
    assert words in told


def test_status_says_what_is_wrong_with_the_login(secured: SecuredKafka, tmp_path: Path) -> None:
    settings = given(secured, tmp_path, kafka_sasl_password=WRONG)
    said = run_cli("status", home=tmp_path, settings=settings, check=False)
    assert f"refuses user {USER}" in said.stdout + said.stderr
    assert "Traceback" not in said.stderr


def test_a_file_that_is_not_there_is_named_before_anything_starts(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    settings = given(secured, tmp_path, kafka_ssl_ca_location="/no/such.pem")
    said = run_cli("ingest", home=tmp_path, settings=settings, check=False)
    assert said.returncode != 0
    assert said.stderr == "twoway: kafka_ssl_ca_location: /no/such.pem: No such file or directory\n"
