"""The proof of `twoway forget`: what it counts, what it finds on the disk, and when it fails."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.cli.forget.order import Done
from pipeline.cli.forget.proof import Proof, _holds, _until, lines_of_proof
from pipeline.records import ErasedRows, Erasure, KeptStop
from pipeline.settings import Settings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY_MS = 86_400_000
ERASURE = Erasure(
    erasure_id="e",
    suppression="ab" * 32,
    key_id="c" * 16,
    request_id="f1",
    order_offset=3,
    at=NOON,
    actor="anna",
    reason="Asked by letter.",
    rows=[ErasedRows(name="assemblies", rows=2), ErasedRows(name="consents", rows=1)],
    stops=[
        KeptStop(
            scope_kind="number",
            scope="447700900999",
            state="stopped",
            gateway_state="open",
            since=NOON,
        )
    ],
)


def done(rows_left: int = 0) -> Done:
    return Done(erasure=ERASURE, partition=3, tombstones=3, rows_left=rows_left)


@pytest.mark.parametrize(
    ("octets", "found"),
    [(b"", False), (b"x447700900001y", True), (b"447700900002", False)],
    ids=["empty", "within", "another"],
)
def test_a_database_is_searched_for_the_number(tmp_path, octets, found):
    folder = tmp_path / "state" / "group" / "0" / "3"
    folder.mkdir(parents=True)
    (folder / "000001.sst").write_bytes(b"nothing")
    (folder / "000002.log").write_bytes(octets)
    assert _holds(folder, b"447700900001") == found


@pytest.mark.parametrize(
    ("after", "old_parts", "rows_left", "words"),
    [
        ({"mo_raw": 0}, 0, 0, []),
        ({"mo_raw": 2, "mo_part": 0}, 0, 0, ["2 rows of mo_raw are left, or came since"]),
        ({}, 3, 0, ["3 old parts of ClickHouse are still in use"]),
        ({}, 0, 1, ["1 rows of the changelog came since"]),
    ],
    ids=["nothing", "rows", "old-parts", "changelog"],
)
def test_it_fails_for_whatever_is_left(tmp_path, after, old_parts, rows_left, words):
    proof = Proof(Settings(home=tmp_path, kafka="127.0.0.1:1"), "447700900001")
    assert proof.left(after, old_parts, ([], []), done(rows_left)) == words


def test_a_copy_that_nobody_scrubs_is_named_once_patience_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.cli.forget.proof.DISK_SECONDS", 0)
    folder = tmp_path / "state" / "twoway-conversation" / "1" / "3"
    folder.mkdir(parents=True)
    (folder / "000002.log").write_bytes(b"447700900001")
    proof = Proof(Settings(home=tmp_path, kafka="127.0.0.1:1"), "447700900001")
    found = proof.databases_with_digits(done())
    assert found == ([folder], [folder])
    (words,) = proof.left({}, 0, found, done())
    assert words.startswith(f"{folder} belongs to a worker that no longer has the partition")


def test_the_lines_say_before_and_after_and_what_stays():
    lines = list(lines_of_proof(done(), {"mo_raw": 4}, {"mo_raw": 0}, 0, ([], [])))
    assert "table assemblies                   2       0" in lines
    assert "clickhouse mo_raw                  4       0" in lines
    assert lines[-1] == (
        "stays stopped: number 447700900999 since 2026-03-01T12:00:00Z"
        " (ours stopped, the gateway's open)"
    )


@pytest.mark.parametrize(
    ("configured", "words"),
    [
        pytest.param(
            {"cleanup.policy": "delete", "retention.ms": 30 * DAY_MS, "segment.ms": 7 * DAY_MS},
            "2026-04-07T12:00:00Z (retention 30 d, a segment up to 7 d)",
            id="retention-and-the-age-of-a-segment",
        ),
        pytest.param(
            {"cleanup.policy": "delete", "retention.ms": -1, "segment.ms": 7 * DAY_MS},
            "for good: this topic has no retention",
            id="without-retention",
        ),
        pytest.param(
            {
                "cleanup.policy": "compact",
                "max.compaction.lag.ms": DAY_MS // 2,
                "delete.retention.ms": DAY_MS,
            },
            "2026-03-02T00:00:00Z or the next write after it (compaction within 12 h,"
            " tombstones 1 d longer)",
            id="compacted",
        ),
    ],
)
def test_until_when_a_topic_keeps_it(configured, words):
    assert _until({name: str(value) for name, value in configured.items()}, NOON) == words
