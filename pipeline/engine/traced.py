"""A processor whose records are spans, and whose outputs carry them on. Only where traces are on.

A batch that is done again makes its spans again: a span says that a record was worked on, and not
that the transaction was committed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.kafka import topics
from pipeline.process.tracing import SpanKind, carrying, trace_headers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.plan import AgentPlan, Processor
    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.process.tracing import Tracer


def traced(processor: Processor, plan: AgentPlan, tracer: Tracer | None) -> Processor:
    """The processor as it is, or with spans where there is a tracer. Ticks have none."""
    if tracer is None:
        return processor
    return TracedProcessor(processor, tracer, group=plan.group)


class TracedProcessor:
    """See the module."""

    def __init__(self, processor: Processor, tracer: Tracer, *, group: str) -> None:
        self._processor = processor
        self._tracer = tracer
        self._group = group

    def restored(self, state: State) -> None:
        """See `Processor.restored`."""
        self._processor.restored(state)

    def process_record(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """See `Processor.process_record`."""
        if record.topic == topics.CLOCK:
            return self._processor.process_record(work, record)
        return self._within_span(
            "process", work, record, lambda: self._processor.process_record(work, record)
        )

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """See `Processor.refuse`."""

        def refuse() -> bool:
            self._processor.refuse(work, record, error)
            return False

        self._within_span("refuse", work, record, refuse)

    def _within_span(
        self, step: str, work: UnitOfWork, record: ConsumerRecord, decide: Callable[[], bool]
    ) -> bool:
        span = self._tracer.begin(
            f"{step} {record.topic}",
            SpanKind.CONSUMER,
            trace_headers_of(record.headers),
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.consumer.group.name": self._group,
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
            },
        )
        before = work.sent()
        try:
            with carrying(span.headers):
                goes_on = decide()
        except Exception as error:
            span.end(failed=type(error).__name__)
            raise
        work.carry(span.headers, since=before)
        span.end()
        return goes_on
