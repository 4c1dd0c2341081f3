"""The metrics of the engine, by the names of a worker."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from pipeline import compiled

#: How the names begin; a process whose agent is no worker shows them with a prefix of its own.
METRICS_PREFIX: Final = "twoway_worker_"

COMPILED: Final = Gauge("twoway_worker_compiled", "1: the stages run as machine code, 0: as Python")
COMPILED.set(compiled.form() == "compiled")
RECORDS: Final = Counter("twoway_worker_records_total", "Records taken", ["topic"])
DUPLICATES: Final = Counter(
    "twoway_worker_duplicates_total", "Parts that had come before", ["source"]
)
DEAD_LETTERS: Final = Counter(
    "twoway_worker_dead_letters_total", "Records refused", ["stage", "reason"]
)
TIMES_NOT_BELIEVED: Final = Counter(
    "twoway_worker_times_not_believed_total",
    "Times of records that lie too far from the broker's, replaced or refused",
    ["topic"],
)
STATUSES_HEARD: Final = Counter(
    "twoway_worker_statuses_total",
    "Statuses of commands that the gateway told; command: known, or unknown here",
    ["source", "command"],
)
CLOCK_AHEAD: Final = Gauge(
    "twoway_worker_clock_ahead_seconds", "How far this host's clock is ahead of the broker's"
)
WAITING: Final = Gauge(
    "twoway_worker_waiting", "1: the partition waits for an operator, 0: it does not", ["partition"]
)
TRANSACTIONS: Final = Counter("twoway_worker_transactions_total", "Transactions committed")
BATCH_SECONDS: Final = Histogram(
    "twoway_worker_batch_seconds",
    "From taking a batch to its commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RESTORES: Final = Counter("twoway_worker_restores_total", "Partitions restored from the changelog")
RESTORE_SECONDS: Final = Histogram(
    "twoway_worker_restore_seconds",
    "Time to restore a partition",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
ROWS: Final = Gauge("twoway_worker_rows", "Rows of a table", ["table", "partition"])
LAG: Final = Gauge("twoway_worker_lag_records", "Records not taken yet", ["topic", "partition"])
TIME: Final = Gauge(
    "twoway_worker_time_seconds", "A partition's time, seconds since 1970", ["partition"]
)
DUE_OLDEST: Final = Gauge(
    "twoway_worker_due_oldest_seconds",
    "When the earliest due row of a partition falls due, seconds since 1970; 0: none",
    ["partition"],
)
