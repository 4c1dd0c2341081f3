"""The tracer of OpenTelemetry. Only `trace_setting.py` imports it, if asked.

Spans go to a collector by OTLP over HTTP (protobuf), in batches, from a thread of their own. What
no setting says, the variables of OpenTelemetry's own say, such as OTEL_EXPORTER_OTLP_HEADERS,
OTEL_TRACES_SAMPLER and OTEL_RESOURCE_ATTRIBUTES.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pipeline.build_info import version
from pipeline.process.tracing import SpanKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.process.tracing import Headers

#: The path of traces at an OTLP receiver (OTLP 1.x, "OTLP/HTTP Request").
PATH: Final = "/v1/traces"
#: How long an export may take; a process that ends waits no longer for the last one.
EXPORT_SECONDS: Final = 3.0

_KINDS: Final = {
    SpanKind.PRODUCER: trace.SpanKind.PRODUCER,
    SpanKind.CONSUMER: trace.SpanKind.CONSUMER,
    SpanKind.CLIENT: trace.SpanKind.CLIENT,
}
_PROPAGATOR: Final = TraceContextTextMapPropagator()


def tracer_to(endpoint: str, process: str, *, instance: str = "") -> OtelTracer:
    """A tracer that exports to the collector at `endpoint`, in the name of a process."""
    provider = TracerProvider(resource=resource_of(process, instance))
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + PATH, timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OtelTracer(provider)


def resource_of(process: str, instance: str) -> Resource:
    """Who speaks: the process with its version, and its name where it has one."""
    said = {"service.name": f"twoway-{process}", "service.version": version()}
    return Resource.create(said | ({"service.instance.id": instance} if instance else {}))


class OtelTracer:
    """Begins spans of OpenTelemetry."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("twoway", version())

    def begin(
        self, name: str, kind: SpanKind, parent: Headers, notes: Mapping[str, str | int]
    ) -> OtelSpan:
        """See `Tracer.begin`."""
        found = {name: value.decode("ascii", "replace") for name, value in parent}
        context = _PROPAGATOR.extract(found) if found else None
        begun = self._tracer.start_span(
            name, context=context, kind=_KINDS[kind], attributes=dict(notes)
        )
        return OtelSpan(begun)


class OtelSpan:
    """A span of OpenTelemetry."""

    def __init__(self, begun: trace.Span) -> None:
        self._begun = begun
        found: dict[str, str] = {}
        _PROPAGATOR.inject(found, context=trace.set_span_in_context(begun))
        self._headers = [(name, value.encode()) for name, value in found.items()]

    @property
    def headers(self) -> Headers:
        """See `Span.headers`."""
        return self._headers

    def note(self, name: str, value: str | int) -> None:
        """See `Span.note`."""
        self._begun.set_attribute(name, value)

    def end(self, *, failed: str = "") -> None:
        """See `Span.end`."""
        if failed:
            self._begun.set_status(trace.Status(trace.StatusCode.ERROR, failed))
        self._begun.end()
