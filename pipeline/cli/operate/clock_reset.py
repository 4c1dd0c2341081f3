"""Orders the workers to set back the time of partitions whose time leapt ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cli.ask.broker import Outgoing, open_admin, open_consumer, publish
from pipeline.cli.ask.reading import partitions_of
from pipeline.cli.operate.advance import wait_until_past
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.due import RESET
from pipeline.kafka import readers, topics
from pipeline.records import Clock

if TYPE_CHECKING:
    from collections.abc import Callable


def reset_times(bootstrap: str, *, say: Callable[[str], None]) -> list[str]:
    """Send the order to every partition, and return when the workers have taken it: what to say."""
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        ordered = partitions_of(consumer, [topics.CLOCK])
        if not ordered:
            raise CommandError(
                f"the broker at {bootstrap} has no topic {topics.CLOCK}: is it Two-way's?"
            )
        order = Clock(time=datetime.now(UTC), origin=RESET)
        outgoing = (
            Outgoing(topic=topics.CLOCK, record=order, partition=at.partition) for at in ordered
        )
        last = publish(bootstrap, outgoing)
        goals = {at: last[at.topic, at.partition] + 1 for at in ordered}
        wait_until_past(admin, group=readers.CONVERSATION, goals=goals, who="the workers", say=say)
    return [f"{len(ordered)} partitions have taken the order; `twoway clock -v` shows their times"]
