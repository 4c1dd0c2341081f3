"""The search of logs finds what must not be there, and nothing else, in every process's log."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

import pytest

from tests.chaos.checker import Findings
from tests.chaos.driver import NUMBER
from tests.chaos.logs import KIND, PROCESSES, check_logs
from tests.chaos.traffic import LONG, WIDE

HANDSET = "447800000001"
SECRET = "s3cr3t-of-a-run"


@pytest.fixture
def home(tmp_path):
    """A home in which every process has a log."""
    (tmp_path / "logs").mkdir()
    for name in PROCESSES:
        (tmp_path / "logs" / f"{name}.log").write_text("started\n")
    return tmp_path


def found(home):
    findings = Findings()
    check_logs(findings, home, secrets=[SECRET])
    return findings.counts[KIND]


PLANTED = {
    "number": f"from={HANDSET}&to=1",
    "number-with-plus": f"+{HANDSET}",
    "number-in-groups": "44 7800 000 001",
    "number-as-octets": f"value {HANDSET.encode().hex()}",
    "text-in-a-query": f"text={quote_plus(LONG.strip())}",
    "text-as-octets": LONG.strip().encode().hex(),
    "text-as-bytes": f"{WIDE.strip().encode('utf-16-be')!r}",
    "text": "Where is my parcel? 1",
    "secret": f"password {SECRET}",
    "secret-in-base64": b64encode(f"user:{SECRET}".encode()).decode(),
    "secret-in-hex": SECRET.encode().hex(),
}


@pytest.mark.parametrize("line", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("name", [*(f"logs/{it}.log" for it in PROCESSES), "up.log"])
def test_what_was_sent_is_found_in_the_log_of_any_process(home, name, line):
    with (home / name).open("a") as log:
        log.write(f"{line}\nthe last line\n")
    assert found(home) >= 1


def test_it_is_found_in_what_is_left_for_status_and_in_an_older_log(home):
    (home / "troubles").mkdir()
    (home / "troubles" / "ends.jsonl").write_text(f'{{"words": "{HANDSET}"}}\n')
    (home / "logs" / "worker.log.1").write_text(f"{SECRET}\n")
    assert found(home) == 2


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_without_a_log_is_a_finding(home, name):
    (home / "logs" / f"{name}.log").write_text("")
    assert found(home) == 1


@pytest.mark.parametrize(
    "line",
    ["id 4478000000010003 taken", f"number {NUMBER} is ours", "stop, ok, yes", "at 1764313537447"],
)
def test_other_words_are_not(home, line):
    (home / "logs" / "worker.log").write_text(f"{line}\n")
    assert not found(home)
