"""The metrics of the poller of mo.log."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

UP: Final = Gauge("twoway_ingest_ftp_up", "1 when the last poll read all there was")
LAG: Final = Gauge(
    "twoway_ingest_ftp_lag_octets", "Octets of the log that Kafka has not, an unended line included"
)
LAST_SUCCESS: Final = Gauge(
    "twoway_ingest_ftp_last_success_time_seconds",
    "When a poll last read all there was, seconds since 1970; 0: never",
)
LINES: Final = Counter(
    "twoway_ingest_ftp_lines_total", "Lines read, by what became of them", ["outcome"]
)
OCTETS: Final = Counter("twoway_ingest_ftp_read_octets_total", "Octets of the log read")
ERRORS: Final = Counter("twoway_ingest_ftp_errors_total", "Polls that did not end well", ["kind"])
LOGS: Final = Counter(
    "twoway_ingest_ftp_logs_total", "Logs rotated, found, cut short, given up", ["event"]
)

#: Start each counter at 0: Prometheus sees no increase in a series that is new.
for _outcome in ("taken", "refused", "blank"):
    LINES.labels(_outcome)
for _kind in ("unreachable", "untrusted", "refused", "timeout", "broken", "kafka", "disk"):
    ERRORS.labels(_kind)
for _event in ("rotated", "unseen", "cut", "rest-missing"):
    LOGS.labels(_event)
