"""The metrics of a sender, each name once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from pipeline.records import Purpose
from pipeline.sender.entry import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.sender.entry import Entry

ASKED: Final = Counter("twoway_sender_asked_total", "Attempts asked for", ["api_id"])
PERMITS: Final = Counter("twoway_sender_permits_total", "Permits used", ["api_id"])
GIVEN_BACK: Final = Counter(
    "twoway_sender_given_back_total", "Permits given back unused", ["api_id"]
)
RESULTS: Final = Counter(
    "twoway_sender_results_total", "What was seen of attempts", ["api_id", "outcome"]
)
IN_FLIGHT: Final = Gauge("twoway_sender_in_flight", "Submissions under way", ["api_id"])
CIRCUIT_OPEN: Final = Gauge(
    "twoway_sender_circuit_open",
    "1: nothing is sent by the API, as it takes nothing",
    ["api_id"],
)
HELD: Final = Gauge("twoway_sender_held", "Commands held, that are not final")
WITHOUT_API: Final = Gauge(
    "twoway_sender_without_api", "Commands held for which apis.toml has no API"
)
WAITING: Final = Gauge(
    "twoway_sender_waiting", "Partitions whose next command cannot be read: an operator must act"
)
UNKNOWN: Final = Gauge("twoway_sender_unknown", "Commands held whose fate is not known")
OLDEST: Final = Gauge(
    "twoway_sender_oldest_seconds", "When the oldest held command was decided, seconds since 1970"
)
CONFIRMATION_DEADLINE: Final = Gauge(
    "twoway_sender_confirmation_deadline_seconds",
    "The earliest deadline of a held confirmation, seconds since 1970; 0: none is held",
)
NOTICE_MAILS: Final = Counter(
    "twoway_sender_notice_mails_total",
    "Notices of a low balance, by what became of their mail",
    ["outcome"],
)
NOTICE_FAILURES: Final = Counter(
    "twoway_sender_notice_failures_total", "Attempts to mail a notice that failed"
)
PERMIT_SECONDS: Final = Histogram(
    "twoway_sender_permit_seconds",
    "From an ask's acknowledgement to its permit",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CALL_SECONDS: Final = Histogram(
    "twoway_sender_call_seconds",
    "From a permit to what was seen",
    ["way"],
    buckets=(0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


def show_held(held: Sequence[Entry]) -> None:
    """Set the gauges of the held commands."""
    HELD.set(len(held))
    UNKNOWN.set(sum(entry.step is Step.UNKNOWN for entry in held))
    oldest = min((entry.command.at for entry in held), default=None)
    OLDEST.set(oldest.timestamp() if oldest else 0)
    confirming = [e.command for e in held if e.command.purpose == Purpose.CONFIRMATION]
    deadline = min((command.not_after for command in confirming), default=None)
    CONFIRMATION_DEADLINE.set(deadline.timestamp() if deadline else 0)
