"""An agent for the tests: counts by key over two topics, and writes each count once.

`python -m tests.engine.counting_agent BOOTSTRAP TAG HOME [STALL_SECONDS [NAME]]`; the value `hang`
makes it hang.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from pipeline.engine.faust.agent import PartitionedAgent
from pipeline.engine.faust.app import create_faust_app, run_faust_app
from pipeline.engine.plan import AgentPlan
from pipeline.settings import Settings

PARTITIONS = 4
POISON = b"poison"
HANG = b"hang"
STALL_SECONDS = "120"
NAMED_SESSION_SECONDS = 45  # on a busy machine, too, a worker is there again within it


class Count:
    def __init__(self, tag: str) -> None:
        self._tag = tag

    def restored(self, state) -> None:
        pass

    def process_record(self, work, record) -> None:
        counts = work.tables["counts"]
        count = int(counts.get(record.key) or b"0") + 1
        counts.put(record.key, b"%d" % count)
        where = f"{record.topic}:{record.partition}:{record.offset}:{count}"
        work.send(f"{self._tag}-out", record.key, where.encode())
        if record.value == HANG:
            threading.Event().wait()
        if record.value == POISON:
            raise ValueError("poison")

    def refuse(self, work, record, error) -> None:
        work.send(f"{self._tag}-refused", record.key, str(record.offset).encode())


def sources(tag: str) -> tuple[str, str]:
    return f"{tag}-a", f"{tag}-b"


def main() -> None:
    bootstrap, tag, home, stall_seconds, name = (*sys.argv[1:], STALL_SECONDS, "")[:5]
    settings = Settings(home=Path(home), kafka=bootstrap, partitions=PARTITIONS, instance=name)
    app = create_faust_app(tag, bootstrap=bootstrap, settings=settings)
    if name:
        app.conf.broker_session_timeout = NAMED_SESSION_SECONDS
    PartitionedAgent(
        app,
        AgentPlan(
            name="count",
            group=tag,
            bootstrap=bootstrap,
            topics=sources(tag),
            may_skip=frozenset(),
            tables=("counts",),
            changelog=f"{tag}-changelog",
            processor=lambda _partition: Count(tag),
            folder=settings.home / "state",
        ),
        stall_seconds=float(stall_seconds),
    ).register()
    run_faust_app(app, settings)


if __name__ == "__main__":
    main()
