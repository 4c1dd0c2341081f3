"""The search of the logs finds what must not be there, and nothing else."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from tests.chaos.checker import Findings
from tests.chaos.logs import KIND, check_logs
from tests.chaos.traffic import LONG, WIDE

HANDSET = "447800000001"


@pytest.mark.parametrize(
    "line",
    [
        f"from={HANDSET}&to=1",
        f"+{HANDSET}",
        f"text={quote_plus(LONG.strip())}",
        LONG.strip().encode().hex(),
        f"{WIDE.encode('utf-16-be')!r}",
        "Where is my parcel? 1",
    ],
)
def test_a_number_or_a_text_in_a_log_is_found(tmp_path, line):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "worker.log").write_text(f"started\n{line}\n")
    findings = Findings()
    check_logs(findings, tmp_path, [HANDSET])
    assert findings.counts[KIND] >= 1, line


@pytest.mark.parametrize("line", ["id 4478000000010003 taken", "447800000009", "stop, ok, yes"])
def test_other_words_are_not(tmp_path, line):
    (tmp_path / "worker.log").write_text(f"{line}\n")
    findings = Findings()
    check_logs(findings, tmp_path, [HANDSET])
    assert findings.are_none
