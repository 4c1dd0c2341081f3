"""`make hostile SEED=N`: the long form of the hostile tests, with a table of the failures.

    python -m tests.hostile --seed 7 [--scale 10] [--only SQL]

Random inputs are `scale` times as many as in `make test`. Growth is measured up to sizes that are
as many times as large, eight at most. At the scale of 10 it takes tens of minutes on two cores,
most of them for the last row. The exit status is 1 when anything fell.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree

from tests.hostile.scale import SCALE_VARIABLE, SEED_VARIABLE
from tests.support.orphans import kill_orphans_of_this_run

HERE: Final = Path(__file__).parent
ROWS: Final = (
    ("growth of parsers of HTTP and wire", ("test_growth_http.py", "test_growth.py")),
    (
        "growth of stages",
        (
            "test_stage_growth.py",
            "test_growth_consent.py",
            "test_growth_delivery.py",
            "test_sending_growth.py",
        ),
    ),
    ("growth of texts, caches and logs", ("test_peer_words.py", "test_caches.py")),
    ("mutated HTTP requests", ("test_fuzz_http.py",)),
    ("status callbacks", ("test_statuses.py",)),
    ("files of APIs and of backups", ("test_apis_files.py", "test_backup_names.py")),
    ("HTTP: pages, proxies and names", ("test_browser_guard.py",)),
    ("SQL made up and mutated", ("test_sql.py", "test_sql_fence.py", "test_confinement.py")),
    ("poison in every topic", ("test_poison.py", "test_poison_running.py", "test_header_keys.py")),
    ("records that the broker refuses", ("test_broker_limits.py",)),
    ("FTP and SMPP peers that lie", ("test_lying_peers.py",)),
    ("a gateway that lies", ("test_lying_gateway.py",)),
    ("Kafka and ClickHouse that lie", ("test_lying_kafka.py", "test_lying_clickhouse.py")),
    ("one handset that sends much", ("test_one_handset.py",)),
    ("requests to be left alone", ("test_requests.py",)),
    ("handsets and times", ("test_handsets.py", "test_log_times.py")),
    (
        "what a log and a metric may say",
        ("test_log_guard.py", "test_log_search.py", "test_metric_labels.py"),
    ),
    ("what a terminal is shown", ("test_terminal.py",)),
    ("a full disk of the broker", ("test_full_disk.py",)),
    ("a full disk of store and worker", ("test_full_disk_processes.py",)),
    (
        "records of accounts, and the gateway's statement",
        ("test_account_records.py", "test_gateway_statement.py", "test_account_pages.py"),
    ),
    (
        "callers and texts of the report",
        ("test_report_callers.py", "test_report_routes.py", "test_columns_that_lie.py"),
    ),
    ("applications that lie", ("test_applications_that_lie.py",)),
    ("each peer that lies, each lie", ("test_peers_that_lie.py",)),  # the longest
)


class Outcome(NamedTuple):
    """The result of one row."""

    tried: int  # inputs made up, and cases of the tables
    fell: list[str]
    seconds: float


def run_row(files: tuple[str, ...], *, seed: int, scale: int, report: Path) -> Outcome:
    """Run the tests of these files with the seed; a run that never began counts as failed."""
    began = time.monotonic()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "--timeout", "3600"),
            *("-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--junit-xml", str(report)),
            *(str(HERE / name) for name in files),
        ],
        env=os.environ | {SEED_VARIABLE: str(seed), SCALE_VARIABLE: str(scale)},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    tried, fell = outcome_of(report.read_text() if report.exists() else "<none/>")
    if done.returncode and not fell:
        fell = [f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-2_000:]}"]
    elif fell:
        sys.stdout.write(done.stdout[-8_000:])
    return Outcome(tried, fell, seconds)


def outcome_of(junit: str) -> tuple[int, list[str]]:
    """How much was tried, and the names of the failed tests, from a JUnit report."""
    tried, fell = 0, []
    for case in ElementTree.fromstring(junit).iter("testcase"):  # noqa: S314 - pytest's own
        if case.find("failure") is not None or case.find("error") is not None:
            fell.append(f"{case.get('classname')}::{case.get('name')}")
        if case.find("skipped") is None:
            made_up = case.find("properties/property[@name='tried']")
            tried += 1 if made_up is None else int(made_up.get("value", ""))
    return tried, fell


def main() -> None:
    """Run every row, print the table, and end with 1 when a test failed."""
    parser = argparse.ArgumentParser(description="Send what no gateway would send.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    given = parser.parse_args()
    kill_orphans_of_this_run()
    sys.stdout.write(f"seed {given.seed}, scale {given.scale}\n")
    sys.stdout.write(f"{'what':<38}{'tried':>9}{'fell':>6}{'seconds':>9}\n")
    fallen: list[str] = []
    chosen = [row for row in ROWS if given.only.lower() in row[0].lower()]
    with tempfile.TemporaryDirectory(prefix="twoway-hostile-") as folder:
        for number, (what, files) in enumerate(chosen):
            report = Path(folder) / f"{number}.xml"
            outcome = run_row(files, seed=given.seed, scale=given.scale, report=report)
            fallen += outcome.fell
            sys.stdout.write(
                f"{what:<38}{outcome.tried:>9,}{len(outcome.fell):>6}{outcome.seconds:>9.0f}\n"
            )
            sys.stdout.flush()
    for name in fallen:
        sys.stdout.write(f"fell: {name}\n")
    sys.exit(1 if fallen or not chosen else 0)


if __name__ == "__main__":
    main()
