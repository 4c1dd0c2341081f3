"""The metrics of a process in the text format of Prometheus, with what was built."""

from __future__ import annotations

from typing import Any, Final

from prometheus_client import REGISTRY, Gauge, generate_latest

from pipeline.build_info import built_commit, version
from pipeline.compiled import form

BUILD_INFO: Final = Gauge(
    "twoway_build_info",
    "1; the labels say which version of which commit runs, and whether it is compiled",
    ["version", "commit", "form"],
)
BUILD_INFO.labels(version=version(), commit=built_commit(), form=form()).set(1)


def exposition(registry: Any = REGISTRY) -> bytes:
    """All metrics of a registry, or of what collects them like one."""
    return generate_latest(registry)
