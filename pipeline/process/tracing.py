"""Traces of messages through Kafka, by the setting otel_endpoint (W3C Trace Context, level 1).

A record carries the place in its trace as the header `traceparent`. Without the setting there is no
tracer, no record gets a header, and nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Headers of a Kafka record. A list, as aiokafka's compiled builder of batches takes no other.
Headers = list[tuple[str, bytes]]

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
#: Octets of a header that is read; W3C Trace Context 3.3.1.5 asks for 512 of tracestate.
LONGEST: Final = 512


class SpanKind(Enum):
    """What a span does with a message, in OpenTelemetry's words."""

    PRODUCER = "producer"
    CONSUMER = "consumer"
    CLIENT = "client"


class Span(Protocol):
    """A step of a message's way, from its beginning to its end."""

    @property
    def headers(self) -> Headers:
        """What a record carries that follows from this step."""

    def note(self, name: str, value: str | int) -> None:
        """Say more of the step; never a handset, never a text."""

    def end(self, *, failed: str = "") -> None:
        """End the step; `failed` says why it failed."""


class Tracer(Protocol):
    """Begins spans."""

    def begin(
        self, name: str, kind: SpanKind, parent: Headers, notes: Mapping[str, str | int]
    ) -> Span:
        """Begin a step after the one that `parent` names; without one, a new trace begins."""


_tracers: list[Tracer] = []
_carried: ContextVar[Headers | None] = ContextVar("carried", default=None)


def tracer() -> Tracer | None:
    """The tracer of this process; None where nothing is traced."""
    return _tracers[0] if _tracers else None


def use_tracer(given: Tracer | None) -> None:
    """Trace with this tracer from now on; None: not at all."""
    _tracers[:] = [] if given is None else [given]


def carried() -> Headers | None:
    """The headers that a record written now carries; None where nothing is traced."""
    return _carried.get()


@contextmanager
def carrying(headers: Headers | None) -> Iterator[None]:
    """Records that are written within carry these headers."""
    before = _carried.set(headers or None)
    try:
        yield
    finally:
        _carried.reset(before)


def trace_headers_of(given: Iterable[tuple[str, bytes | None]]) -> Headers:
    """The headers of a trace among those of a record."""
    return [
        (name, value)
        for name, value in given
        if name in (TRACEPARENT, TRACESTATE) and value and len(value) <= LONGEST
    ]
