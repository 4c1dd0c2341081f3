"""The span of one attempt to hand a record on. Only where traces are on.

The application gets no header of ours: a trace ends at the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.process import tracing
from pipeline.records import DeliveryOutcome

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.process.tracing import Headers, Span
    from pipeline.records import MoDeliveryResult


class AttemptSpan:
    """Begins with the object; `end` says what was seen."""

    def __init__(self, order: DeliveryOrder) -> None:
        self._span: Span | None = None
        tracer = tracing.tracer()
        if tracer is not None:
            notes: dict[str, str | int] = {
                "twoway.delivery_id": order.delivery_id,
                "twoway.subject_id": order.subject_id,
                "twoway.path": order.path.name,
                "twoway.attempt": order.attempt,
            }
            name = f"hand on {order.path.way}"
            self._span = tracer.begin(name, tracing.SpanKind.CLIENT, order.trace or [], notes)

    @property
    def headers(self) -> Headers | None:
        """What the result of the attempt carries."""
        return self._span.headers if self._span is not None else None

    def end(self, result: MoDeliveryResult) -> None:
        """End with the result."""
        if self._span is None:
            return
        self._span.note("twoway.outcome", result.outcome)
        is_delivered = result.outcome == DeliveryOutcome.DELIVERED
        self._span.end(failed="" if is_delivered else result.status or result.outcome)
