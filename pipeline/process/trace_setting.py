"""Begins to trace if the setting otel_endpoint says so."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from pipeline.process.tracing import use_tracer

if TYPE_CHECKING:
    from pipeline.settings import Settings

_EXIT_SETTINGS: Final = 2  # as in pipeline/web/daemon.py, which is above this module


def trace_by(settings: Settings, process: str) -> None:
    """Trace from now on; without the packages that it takes, this ends the process."""
    if not settings.otel_endpoint:
        return
    try:
        from pipeline.process.otel import tracer_to
    except ImportError:
        words = "otel_endpoint needs the packages of the extra otel: pip install 'twoway[otel]'"
        print(f"twoway {process}: {words}", file=sys.stderr)
        raise SystemExit(_EXIT_SETTINGS) from None
    use_tracer(tracer_to(settings.otel_endpoint, process, instance=settings.instance))
