"""The proof that a handset is forgotten: its rows before and after, and what Kafka still has."""

from __future__ import annotations

import mmap
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kafka.admin import ConfigResource, ConfigResourceType

from pipeline.avro.single_object import snake_from_camel
from pipeline.cli.ask.broker import open_admin
from pipeline.cli.ask.report_client import report_of, rows
from pipeline.cli.ask.waiting import ProgressDeadline, pause, wait_for
from pipeline.cli.terminal.local import clock_of
from pipeline.kafka import topics
from pipeline.records.plain import text_from_time
from pipeline.store.rows import STORED_OF_HANDSETS
from pipeline.whose.in_sql import HandsetTest, where
from pipeline.whose.rules import COPIES, HASHED_TABLES, OF_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from pipeline.cli.forget.order import Done
    from pipeline.settings import Settings

STORE_SECONDS: Final = 180
DISK_SECONDS: Final = 30
_IT: Final = HandsetTest(is_one="= {h:String}", array="[{h:String}]")
_COUNTS: Final = " UNION ALL ".join(
    [
        f"SELECT '{view}' AS view, count() AS n FROM {view} WHERE {where(kind, _IT)}"  # noqa: S608  names of ours
        for kind in STORED_OF_HANDSETS
        for view in (snake_from_camel(kind.__name__),)
    ]
    + [
        f"SELECT '{table.removesuffix('_rows')}' AS view, count() AS n FROM {table}"  # noqa: S608
        f" WHERE handset {_IT.is_one}"
        for table in COPIES
    ]
)
_ERASED: Final = "SELECT count() AS n FROM erasure WHERE request_id = {id:String}"
_OLD_PARTS: Final = """SELECT count() AS n FROM system.parts
WHERE NOT active AND modification_time < toDateTime({at:Int64})
AND has({tables:Array(String)}, table)"""


class Proof:
    """Counts what is stored about one handset."""

    def __init__(self, settings: Settings, handset: str) -> None:
        self._settings = settings
        self._handset = handset
        self._report = report_of(settings)
        self._began = int(time.time())

    def rows(self) -> dict[str, int]:
        """How many rows each view of ClickHouse has about the handset."""
        found = rows(self._report, _COUNTS, parameters={"h": self._handset})
        return {row["view"]: int(row["n"]) for row in found}

    def rows_once_erased(self, done: Done) -> dict[str, int]:
        """The rows of each view, once the store has recorded the erasure."""
        request_id = done.erasure.request_id

        def erased() -> bool | None:
            found = rows(self._report, _ERASED, parameters={"id": request_id})
            return True if found[0]["n"] else None

        wait_for(erased, seconds=STORE_SECONDS, failure="the store did not erase its rows")
        return self.rows()

    def old_parts(self, before: Mapping[str, int]) -> int:
        """ClickHouse's parts from before the deletion that are still on disk, after some waiting.

        Only the tables that had rows of the handset count.
        """
        tables = [f"{view}_rows" for view, n in before.items() if n]
        parameters = {"at": self._began, "tables": tables}
        patience = ProgressDeadline(seconds=DISK_SECONDS)
        while (n := int(rows(self._report, _OLD_PARTS, parameters=parameters)[0]["n"])) and (
            not patience.is_over()
        ):
            pause()
        return n

    def databases_with_digits(self, done: Done) -> tuple[list[Path], list[Path]]:
        """Workers' databases of the partition on this machine, and those that hold the number.

        The owner of the partition rewrites its database after the order. This waits for that.
        """
        folders = sorted((self._settings.home / "state").glob(f"*/*/{done.partition}"))
        patience = ProgressDeadline(seconds=DISK_SECONDS)
        while True:
            holding = [folder for folder in folders if _holds(folder, self._handset.encode())]
            if not holding or patience.is_over():
                return folders, holding
            pause()

    def left(
        self,
        after: Mapping[str, int],
        old_parts: int,
        found: tuple[list[Path], list[Path]],
        done: Done,
    ) -> list[str]:
        """What is left and should be erased, in words."""
        left = [f"{old_parts} old parts of ClickHouse are still in use"] if old_parts else []
        left += [f"{n} rows of {view} are left, or came since" for view, n in after.items() if n]
        if done.rows_left:
            left.append(f"{done.rows_left} rows of the changelog came since")
        left += [
            f"{folder} belongs to a worker that no longer has the partition: stop that worker, then"
            " delete the folder"
            for folder in found[1]
        ]
        return left


def _holds(folder: Path, digits: bytes) -> bool:
    """Whether a file of the folder holds these octets; files that vanish meanwhile are skipped."""
    for file in folder.iterdir():
        try:
            with (
                file.open("rb") as opened,
                mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as octets,
            ):
                if octets.find(digits) >= 0:
                    return True
        except (FileNotFoundError, ValueError):  # gone by now; empty
            continue
    return False


def lines_of_proof(
    done: Done,
    before: Mapping[str, int],
    after: Mapping[str, int],
    old_parts: int,
    found: tuple[list[Path], list[Path]],
) -> Iterator[str]:
    """What was erased and what is kept, in words."""
    erasure = done.erasure
    yield f"forgotten at {text_from_time(erasure.at)}, suppression {erasure.suppression}"
    yield f"{'rows':<28}{'before':>8}{'after':>8}"
    for table in erasure.rows:
        yield f"{'table ' + table.name:<28}{table.rows:>8}{0:>8}"
    yield f"{'tombstones in the changelog':<28}{'':>8}{done.tombstones:>8}"
    for view, n in before.items():
        yield f"{'clickhouse ' + view:<28}{n:>8}{after[view]:>8}"
    yield f"{'clickhouse, old parts':<28}{'':>8}{old_parts:>8}"
    folders, holding = found
    yield f"workers' databases here      {len(folders)} searched, the number is in {len(holding)}"
    if not erasure.stops:
        yield "the handset had no stops"
    for stop in erasure.stops:
        yield (
            f"stays stopped: {stop.scope_kind} {stop.scope} since {text_from_time(stop.since)}"
            f" (ours {stop.state}, the gateway's {stop.gateway_state})"
        )


def remaining(settings: Settings, bootstrap: str, done: Done) -> Iterator[str]:
    """What Kafka and the tables still have, and until when at the latest.

    The times follow from the settings of the topics in the broker.
    """
    now = clock_of(settings).now()
    names = [
        name
        for name, topic in topics.topics().items()
        if topic.key in ("handset", "none") or topic.compacted
    ]
    with open_admin(bootstrap) as admin:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        described = admin.describe_configs(resources, config_filter="all")["topic"]
    yield "remains in Kafka, and until when at the latest:"
    for name in names:
        configured = {key: str(entry["value"]) for key, entry in described[name].items()}
        yield f"  {name:<24}{_until(configured, now)}"
    horizon = now + timedelta(hours=settings.dedupe_horizon_hours)
    yield f"remains in tables until {text_from_time(horizon)}:"
    for table in HASHED_TABLES:
        yield f"  {table:<24}{OF_TABLE[table].words}"


def _until(configured: Mapping[str, str], now: datetime) -> str:
    """Until when a topic may still have a record written by `now`.

    Retention counts from the end of a segment, so the longest age of a segment is added.
    """
    if configured["cleanup.policy"] == "compact":
        lag, kept = int(configured["max.compaction.lag.ms"]), int(configured["delete.retention.ms"])
        until = text_from_time(_later(now, lag))
        return (
            f"{until} or the next write after it (compaction within {_hours(lag)},"
            f" tombstones {_hours(kept)} longer)"
        )
    retention, segment = int(configured["retention.ms"]), int(configured["segment.ms"])
    if retention < 0:
        return "for good: this topic has no retention"
    until = text_from_time(_later(now, retention + segment))
    return f"{until} (retention {_hours(retention)}, a segment up to {_hours(segment)})"


def _later(now: datetime, milliseconds: int) -> datetime:
    return (now + timedelta(milliseconds=milliseconds)).replace(microsecond=0)


def _hours(milliseconds: int) -> str:
    days, rest = divmod(milliseconds, 86_400_000)
    return f"{days} d" if days and not rest else f"{milliseconds / 3_600_000:g} h"
