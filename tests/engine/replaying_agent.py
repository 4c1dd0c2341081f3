"""The agent `conversation` on the topics of one test: one of several runs over the same input.

`python -m tests.engine.replaying_agent BOOTSTRAP TAG RUN HOME BATCH_RECORDS`: reads TAG-mo-raw and
the other sources, and writes TAG-RUN-mo-part and the other outputs, in batches of at most
BATCH_RECORDS.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import replace
from pathlib import Path

from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import TABLES
from pipeline.engine import task
from pipeline.engine.faust.agent import PartitionedAgent
from pipeline.engine.faust.app import create_faust_app, run_faust_app
from pipeline.engine.plan import AgentPlan
from pipeline.kafka import readers, topics
from pipeline.settings import Settings
from tests.support.replacing import replace_in

PARTITIONS = 2
OUTPUTS = (
    topics.MO_PART,
    topics.MO_MESSAGE,
    topics.CONSENT_CHANGE,
    topics.MT_COMMAND,
    topics.MT_REJECTION,
    topics.MT_STATE,
    topics.ACCOUNT_CHARGE,
    topics.DEAD_LETTER,
)


class Prefixed:
    """A unit of work that writes to the topics of this run."""

    def __init__(self, work, prefix: str) -> None:
        self._work, self._prefix = work, prefix

    def __getattr__(self, name: str):
        return getattr(self._work, name)

    def send(self, topic, key, value, *, partition=None) -> None:
        self._work.send(self._prefix + topic, key, value, partition=partition)


class Replaying:
    """The agent, which sees the topics under their usual names."""

    def __init__(self, agent: Conversation, *, tag: str, run: str) -> None:
        self._agent, self._source, self._prefix = agent, f"{tag}-", f"{tag}-{run}-"

    def restored(self, state) -> None:
        self._agent.restored(state)

    def process_record(self, work, record) -> bool:
        return self._agent.process_record(Prefixed(work, self._prefix), self._renamed(record))

    def refuse(self, work, record, error) -> None:
        self._agent.refuse(Prefixed(work, self._prefix), self._renamed(record), error)

    def _renamed(self, record):
        return dataclasses.replace(record, topic=record.topic.removeprefix(self._source))


def main() -> None:
    bootstrap, tag, run, home, batch_records = sys.argv[1:]
    replace_in(task, BATCH_RECORDS=int(batch_records))
    settings = Settings(home=Path(home), kafka=bootstrap, partitions=PARTITIONS)
    group = f"{tag}-{run}"
    app = create_faust_app(group, bootstrap=bootstrap, settings=settings)
    PartitionedAgent(
        app,
        AgentPlan(
            name="conversation",
            group=group,
            bootstrap=bootstrap,
            topics=tuple(f"{tag}-{source}" for source in readers.READ_BY[readers.CONVERSATION]),
            may_skip=frozenset(f"{tag}-{topic}" for topic in readers.MAY_SKIP),
            tables=TABLES,
            changelog=f"{tag}-{run}-{topics.CONVERSATION_CHANGELOG}",
            processor=lambda partition: Replaying(
                # As of a local stack, whose clock may leap.
                Conversation(partition=partition, settings=replace(settings, kafka="")),
                tag=tag,
                run=run,
            ),
            folder=settings.home / "state",
        ),
        stall_seconds=settings.stall_seconds,
    ).register()
    run_faust_app(app, settings)


if __name__ == "__main__":
    main()
