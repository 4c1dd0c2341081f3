"""The span of one call to the gateway: from the permit to what was seen. Only where traces are on.

The gateway gets no header of ours: a trace ends at the border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.process import tracing
from pipeline.records import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.process.tracing import Headers, Span
    from pipeline.sender.apis.api import Api
    from pipeline.sender.entry import Entry
    from pipeline.sender.way import Answer


class CallSpan:
    """Begins with the object; `end` says what was seen."""

    def __init__(self, entry: Entry, api: Api) -> None:
        self._span: Span | None = None
        tracer = tracing.tracer()
        if tracer is not None:
            notes: dict[str, str | int] = {
                "twoway.command_id": entry.command.command_id,
                "twoway.request_id": entry.command.request_id,
                "twoway.api_id": api.api_id,
                "twoway.attempt": entry.attempt,
            }
            name = f"submit {api.way.value}"
            self._span = tracer.begin(name, tracing.SpanKind.CLIENT, entry.trace or [], notes)

    @property
    def headers(self) -> Headers | None:
        """What the result of the call carries."""
        return self._span.headers if self._span is not None else None

    def end(self, answers: Sequence[Answer] | None) -> None:
        """End with the answers of the gateway; None: the permit had ended, nothing was sent."""
        if self._span is None:
            return
        if answers is None:
            self._span.end(failed="the permit had ended")
            return
        outcomes = sorted({answer.outcome for answer in answers})
        self._span.note("twoway.outcome", ",".join(outcomes))
        self._span.end(failed="" if outcomes == [Outcome.SUBMITTED] else ",".join(outcomes))
