"""The metrics of the SMPP receiver."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

DELIVERIES_ANSWERED: Final = Counter(
    "twoway_ingest_smpp_deliveries_total",
    "deliver_sm and data_sm answered: what it was, and how it was answered",
    ["kind", "answer"],
)
BINDS: Final = Counter("twoway_ingest_smpp_binds_total", "Attempts to bind", ["outcome"])
BOUND: Final = Gauge("twoway_ingest_smpp_bound", "1 while bound")
WINDOW: Final = Gauge("twoway_ingest_smpp_window", "Most deliveries that wait at a time")
WAITING: Final = Gauge("twoway_ingest_smpp_waiting", "Deliveries not answered yet")
LAST_TAKEN: Final = Gauge(
    "twoway_ingest_smpp_last_taken_time_seconds",
    "When a delivery was last taken, seconds since 1970; 0: never",
)

# Start each counter at 0: Prometheus sees no increase in a series that is new.
for _outcome in ("bound", "refused", "failed", "unreachable", "untrusted"):
    BINDS.labels(_outcome)
for _kind, _answer in (
    ("message", "ok"),
    ("message", "again"),
    ("receipt", "ok"),
    ("receipt", "again"),
    ("unreadable", "refused"),
    ("unreadable", "again"),
    ("defect", "again"),
):
    DELIVERIES_ANSWERED.labels(_kind, _answer)
