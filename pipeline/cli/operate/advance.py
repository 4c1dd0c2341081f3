"""Advances the local stack's clock minute by minute, so that deadlines fall due in order."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pipeline.cli.ask.broker import Outgoing, open_admin, open_consumer, publish
from pipeline.cli.ask.reading import partitions_of
from pipeline.cli.ask.report_client import rows
from pipeline.cli.ask.waiting import ProgressDeadline, pause
from pipeline.cli.operate import groups
from pipeline.cli.operate.senders_work import SendersWork
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kafka import TopicPartition

    from pipeline.clock import PipelineClock
    from pipeline.home.stack import Stack

STEP: Final = timedelta(minutes=1)
ORIGIN: Final = "advance"
PATIENCE_SECONDS: Final = 60
SAID_EVERY: Final = 20  # rounds of asking


def tick_times(start: datetime, by: timedelta) -> Iterator[datetime]:
    """Every full minute after `start`, and last the target time itself."""
    steps, rest = divmod(by, STEP)
    for step in range(1, steps + 1):
        yield start + step * STEP
    if rest:
        yield start + by


def advance_stack(
    stack: Stack, clock: PipelineClock, by: timedelta, *, say: Callable[[str], None]
) -> datetime:
    """Advance the clock of a local stack; return the new time once all have processed it.

    With a sender, what falls due leaves before the clock goes on.
    """
    sending = None
    if "sender" in stack.pids:
        sending = SendersWork(
            lambda sql, parameters: rows(stack.report, sql, parameters=parameters), say=say
        )
    return advance_clock(stack.kafka, clock, by, say=say, sending=sending)


def advance_clock(
    bootstrap: str,
    clock: PipelineClock,
    by: timedelta,
    *,
    say: Callable[[str], None],
    sending: SendersWork | None = None,
) -> datetime:
    """Advance the clock; return the new time once workers and store have processed it.

    With `sending`, the clock stops wherever a sender has something to do.
    """
    now = clock.now()
    target = now + by
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        stored = partial(wait_until_stored, admin, consumer, say=say)
        if sending is not None:
            sending.settle(now, wait_until_stored=stored)
            target += clock.now() - now  # the waiting took time, too
            now = clock.now()
        while now < target:
            stop = sending.next_stop(now, target) if sending is not None else target
            _leap(bootstrap, clock, now, stop - now, admin=admin, consumer=consumer, say=say)
            now = stop
            if sending is not None:
                sending.settle(now, wait_until_stored=stored)
        stored()
    return target


def _leap(
    bootstrap: str,
    clock: PipelineClock,
    start: datetime,
    by: timedelta,
    *,
    admin: Any,
    consumer: Any,
    say: Callable[[str], None],
) -> None:
    """Let time pass in steps, and return once the workers have processed it.

    The ticks are published before the offset file is written. Otherwise the workers' own ticks
    could have the new time already, and a worker ignores a tick that is not higher.
    """
    ticked = partitions_of(consumer, [topics.CLOCK])
    if not ticked:
        raise CommandError(
            f"the broker at {bootstrap} has no topic {topics.CLOCK}: is it Two-way's?"
        )
    ticks = (
        Outgoing(topic=topics.CLOCK, record=Clock(time=time, origin=ORIGIN), partition=at.partition)
        for time in tick_times(start, by)
        for at in ticked
    )
    last = publish(bootstrap, ticks)
    clock.set_offset(clock.offset() + by)
    wait_until_past(
        admin,
        group=readers.CONVERSATION,
        goals={at: last[at.topic, at.partition] + 1 for at in ticked},
        who="the workers",
        say=say,
    )


def wait_until_stored(admin: Any, consumer: Any, *, say: Callable[[str], None]) -> None:
    """Return once the store has every record that was written until now."""
    partitions = partitions_of(consumer, readers.READ_BY[readers.STORE])
    offsets = {
        at: position.offset
        for at, position in groups.positions(
            admin, group=readers.STORE, partitions=partitions
        ).items()
    }
    found = groups.lags(
        consumer, offsets, ends=groups.offsets_at(admin, partitions, committed=False)
    )
    goals = {at: lag.done_at for at, lag in found.items()}
    wait_until_past(admin, group=readers.STORE, goals=goals, who="the store", say=say)


def wait_until_past(
    admin: Any,
    *,
    group: str,
    goals: dict[TopicPartition, int],
    who: str,
    say: Callable[[str], None],
) -> None:
    """Return once the group has committed up to each goal; `CommandError` if it stands still."""
    patience = ProgressDeadline(seconds=PATIENCE_SECONDS)
    rounds = 0
    while True:
        found = groups.positions(admin, group=group, partitions=list(goals))
        missing = {
            at: goal - found[at].offset for at, goal in goals.items() if found[at].offset < goal
        }
        if not missing:
            return
        patience.saw(missing)
        if patience.is_over():
            at = min(missing)
            raise CommandError(
                f"{who} did not finish partition {at.partition} of {at.topic}: {missing[at]}"
                f" records are left, and there was no progress for {PATIENCE_SECONDS} s;"
                " `twoway status` says what is down"
            )
        rounds += 1
        if rounds % SAID_EVERY == 0:
            left = sum(missing.values())
            say(f"waiting for {who}: {left} records left in {len(missing)} partitions")
        pause()
