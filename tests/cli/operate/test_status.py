"""What `status` prints for the answers that it got."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.operate import pipeline_state as pipeline_state_module
from pipeline.cli.operate.groups import Lag
from pipeline.cli.operate.partitions import BrokerState, GroupState, partition_state
from pipeline.cli.operate.pipeline_state import PipelineState
from pipeline.cli.operate.state_lines import lines_of_state
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def partition(**changes: Any) -> dict[str, Any]:
    told = {
        "partition": 0,
        "conversation_lag": 0,
        "store_lag": 0,
        "at_most": False,
        "time": NOON,
        "oldest_confirmation_due": "",
    }
    return told | changes


def state(**changes: Any) -> PipelineState:
    told = {
        "time": NOON,
        "down": {},
        "partitions": [partition()],
        "last_mo": [],
        "dead_letters": [],
    }
    return PipelineState(**told | changes)  # type: ignore[arg-type]


MO = {"number": "447700900999", "last_mo": "2026-11-22 11:59:00.000", "messages": 12}
DEAD = {"stage": "ingest", "reason": "missing-from", "letters": 3, "last": "2026-11-22 11:00:00"}

PATH = {
    "path": "crm",
    "way": "http-post",
    "waiting": 1200,
    "under_way": 16,
    "oldest": "2026-11-22T10:00:00Z",
    "circuit": "open in 3 partitions",
}

WORDS = [
    ("all is well", state(), ["down           nothing"]),
    (
        "a partition without lag",
        state(),
        ["0          0           0         2026-11-22T12:00:00Z  none"],
    ),
    (
        "a long lag",
        state(partitions=[partition(conversation_lag=5000, at_most=True)]),
        ["0          at most 5000  0         2026-11-22T12:00:00Z  none"],
    ),
    (
        "a partition nobody ticked",
        state(partitions=[partition(time=None)]),
        ["0          0           0         no tick seen  none"],
    ),
    (
        "a confirmation that is due",
        state(partitions=[partition(oldest_confirmation_due="2026-11-22 17:45:00.000")]),
        ["0          0           0         2026-11-22T12:00:00Z  2026-11-22 17:45:00.000"],
    ),
    (
        "a report that is away",
        state(last_mo=None, dead_letters=None, down={"store": "no answer"}),
        [
            "last MO        not known: the report does not answer",
            "dead letters   not known: the report does not answer",
            "DOWN           store: no answer",
        ],
    ),
    (
        "commands that wait, and one of which nobody knows",
        state(
            commands=[
                {"state": "unknown", "commands": 1, "oldest": "2026-11-21T12:00:00Z"},
                {"state": "waiting", "commands": 12, "oldest": "2026-11-22T11:59:00Z"},
            ]
        ),
        [
            "state    commands  oldest",
            "unknown  1         2026-11-21T12:00:00Z",
            "waiting  12        2026-11-22T11:59:00Z",
        ],
    ),
    (
        "an application that takes nothing",
        state(paths=[PATH]),
        [
            "path  way        waiting  under_way  oldest                circuit",
            "crm   http-post  1200     16         2026-11-22T10:00:00Z  open in 3 partitions",
        ],
    ),
    ("no reply path", state(paths=[]), ["reply paths    none"]),
    (
        "the groups that read",
        state(groups=[{"name": "twoway-delivery", "members": 2, "state": "Stable"}]),
        ["twoway-delivery  2        Stable"],
    ),
    ("nothing is open", state(commands=[]), ["open commands  none"]),
    (
        "a broker that is away",
        state(partitions=None, down={"kafka": "no answer"}),
        ["partitions     not known: the broker does not answer", "DOWN           kafka: no answer"],
    ),
    (
        "a broker of a version with a fault",
        state(warnings=["the broker is old"]),
        ["down           nothing", "WARNING        the broker is old"],
    ),
    (
        "numbers and dead letters",
        state(last_mo=[MO], dead_letters=[DEAD]),
        [
            "447700900999  2026-11-22 11:59:00.000  12",
            "ingest  missing-from  3        2026-11-22 11:00:00",
        ],
    ),
]


@pytest.mark.parametrize(
    ("told", "lines"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS]
)
def test_status_says_so_in_words(told: PipelineState, lines: list[str]) -> None:
    said = list(lines_of_state(told))
    assert [line for line in lines if line not in said] == []


@pytest.mark.parametrize(
    ("members", "paths", "is_down"),
    [(0, [PATH], True), (1, [PATH], False), (0, [], False), (0, None, False)],
    ids=["nobody hands on", "one hands on", "no path needs it", "paths are not known"],
)
def test_deliver_is_down_where_there_are_paths(
    members: int, paths: list[dict[str, Any]] | None, *, is_down: bool
) -> None:
    group = GroupState(name="twoway-delivery", members=members, state="Empty")
    broker = BrokerState(partitions=[], groups=[group])
    assert pipeline_state_module._groups_without_members(broker) == {}
    assert ("deliver" in pipeline_state_module._without_deliver(broker, paths)) == is_down


def test_the_lags_of_a_partition_are_added_up() -> None:
    lags = [Lag(records=2, done_at=9), Lag(records=3, done_at=4)]
    added = partition_state(
        7, conversation=lags, store=[Lag(records=10, done_at=1, at_most=True)], time=NOON
    )
    assert (added.partition, added.conversation_lag, added.store_lag) == (7, 5, 10)
    assert added.at_most is True


def test_a_full_disk_is_a_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ended for lack of room could not write there why."""
    settings = Settings(home=tmp_path)
    assert pipeline_state_module._troubles(settings) == []
    words = f"the disk of {tmp_path} is full: 3 MiB are left"
    monkeypatch.setattr(pipeline_state_module, "words_of_little_room", lambda _: words)
    (trouble,) = pipeline_state_module._troubles(settings)
    assert trouble["process"] == "up"
    assert trouble["words"].startswith(f"{words}; processes that need room are started again")
