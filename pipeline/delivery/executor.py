"""Makes the attempts that the agent has ordered, and writes the result of each.

It holds only the attempts under way; deliveries that wait are in the agent's tables.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.delivery import metrics
from pipeline.delivery.attempt_span import AttemptSpan
from pipeline.delivery.forms import NotHandedOn, record_of
from pipeline.delivery.way import Seen
from pipeline.process.log_ids import LoggedId
from pipeline.process.stop import stop_loudly
from pipeline.process.tracing import carrying
from pipeline.records import DeliveryOutcome, MoDeliveryResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.delivery.way import ReplyWayOut
    from pipeline.records import ReplyPath

log = logging.getLogger("twoway.deliver")

GONE_STATUS: Final = "410"  # RFC 9110 15.5.11
#: How long attempts may still take when the process ends.
END_SECONDS: Final = 5.0
#: A way that is no longer used may have attempts under way: each takes 15 s at most.
CLOSE_SECONDS: Final = 60.0


class ResultPost(Protocol):
    """Writes results."""

    async def tell(self, result: MoDeliveryResult) -> None:
        """Write a result; returns once every in-sync replica has it."""


class Executor:
    """Makes attempts; `owns` says whether this process owns a partition."""

    def __init__(
        self,
        post: ResultPost,
        *,
        make_way: Callable[[ReplyPath], ReplyWayOut],
        owns: Callable[[int], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._post = post
        self._make_way = make_way
        self._owns = owns
        self._now = now
        self._ways: dict[str, tuple[ReplyPath, ReplyWayOut]] = {}
        self._held: set[tuple[str, int]] = set()
        self._behind: dict[tuple[str, str], deque[DeliveryOrder]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._is_ending = False

    def __len__(self) -> int:
        return len(self._held)

    def take(self, order: DeliveryOrder) -> None:
        """Make an attempt, after the earlier attempts of the same handset.

        An order that is held already is ignored: it was handed over again after a restore.
        """
        name = (order.delivery_id, order.attempt)
        if name in self._held or self._is_ending:
            return
        self._held.add(name)
        line = _line_of(order)
        behind = self._behind.get(line)
        if behind is not None:
            behind.append(order)
            return
        self._behind[line] = deque()
        self._start(order)

    async def close(self) -> None:
        """Take no more orders, wait `END_SECONDS` for the attempts under way, and disconnect."""
        self._is_ending = True
        for behind in self._behind.values():
            behind.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=END_SECONDS)
        left = [*self._tasks, *self._closing]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for _, way in self._ways.values():
            await way.close()

    def _start(self, order: DeliveryOrder) -> None:
        task = asyncio.create_task(self._run(order))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        """Stop the process if an attempt raised: without a result it would stay under way."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            stop_loudly("an attempt", error)

    async def _run(self, order: DeliveryOrder) -> None:
        try:
            if self._owns(order.partition):
                span = AttemptSpan(order)
                result = await self._attempt(order)
                span.end(result)
                self._next_of(order)
                with carrying(span.headers):
                    await self._post.tell(result)
            else:
                self._next_of(order)
        finally:
            self._held.discard((order.delivery_id, order.attempt))

    def _next_of(self, order: DeliveryOrder) -> None:
        line = _line_of(order)
        behind = self._behind.get(line)
        if behind:
            self._start(behind.popleft())
        else:
            self._behind.pop(line, None)

    async def _attempt(self, order: DeliveryOrder) -> MoDeliveryResult:
        began = time.monotonic()
        if order.attempt == 1:
            age = datetime.now(UTC) - order.since
            metrics.AGE_SECONDS.observe(max(0.0, age.total_seconds()))
        seen = await self._deliver(order)
        took = time.monotonic() - began
        outcome = _outcome_of(seen)
        metrics.CALL_SECONDS.labels(order.path.way).observe(took)
        metrics.ATTEMPTS.labels(order.path.name, outcome.value).inc()
        if seen.status == GONE_STATUS:
            metrics.GONE.labels(order.path.name).inc()
        if not seen.is_delivered:
            log.info(
                "%s: attempt %d of %s, of the record %s, failed: %s",
                order.path.name,
                order.attempt,
                LoggedId(order.delivery_id),
                LoggedId(order.subject_id),
                # An application's words may repeat the message: `delivery list` shows them.
                seen.status or "no status",
            )
        return MoDeliveryResult(
            delivery_id=order.delivery_id,
            path=order.path.name,
            kind=order.kind,
            subject_id=order.subject_id,
            handset=order.handset,
            attempt=order.attempt,
            outcome=outcome.value,
            status=seen.status,
            words=seen.words,
            duration_ms=round(took * 1000),
            retry_after_seconds=seen.retry_after_seconds,
            is_throttled=seen.is_throttled,
            at=self._now(),
        )

    async def _deliver(self, order: DeliveryOrder) -> Seen:
        try:
            record = record_of(order.octets)
            return await (await self._way_of(order.path)).deliver(order, record)
        except NotHandedOn as error:
            return Seen(is_delivered=False, words=str(error))
        except Exception as error:
            # A fault of ours in a way: the attempt has failed, and the schedule gives it others.
            log.exception(
                "%s: an attempt of %s, of the record %s, met a defect",
                order.path.name,
                LoggedId(order.delivery_id),
                LoggedId(order.subject_id),
            )
            return Seen(is_delivered=False, words=type(error).__name__)

    async def _way_of(self, path: ReplyPath) -> ReplyWayOut:
        """The way of a path; after a change of the path a new one, and the old one is closed."""
        known = self._ways.get(path.name)
        if known is not None and known[0] == path:
            return known[1]
        way = self._make_way(path)
        self._ways[path.name] = (path, way)
        if known is not None:
            self._start_closing(known[1])
        return way

    def _start_closing(self, way: ReplyWayOut) -> None:
        """Close a way, when the attempts that use it have had their time."""

        async def close_later() -> None:
            try:
                await asyncio.sleep(CLOSE_SECONDS)
            finally:
                await way.close()

        task = asyncio.create_task(close_later())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _outcome_of(seen: Seen) -> DeliveryOutcome:
    if seen.is_nobody_there:
        return DeliveryOutcome.WAITING
    return DeliveryOutcome.DELIVERED if seen.is_delivered else DeliveryOutcome.FAILED


def _line_of(order: DeliveryOrder) -> tuple[str, str]:
    """The queue of an order: first tries of a handset share one, each retry has its own."""
    if order.is_first_try:
        return order.path.name, order.handset
    return order.path.name, f"{order.handset}\0{order.delivery_id}"
