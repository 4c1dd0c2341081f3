"""The metrics of `twoway deliver`, each name once."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

#: How the engine's metrics begin here: `twoway deliver` is no worker.
ENGINE_PREFIX: Final = "twoway_deliver_agent_"

ATTEMPTS: Final = Counter(
    "twoway_deliver_attempts_total", "Attempts made, by what was seen", ["path", "outcome"]
)
GIVEN_UP: Final = Counter(
    "twoway_deliver_given_up_total", "Deliveries of which nothing more is tried", ["path"]
)
GONE: Final = Counter(
    "twoway_deliver_gone_total",
    "Attempts that were answered 410: the application is gone",
    ["path"],
)
WAITING: Final = Gauge(
    "twoway_deliver_waiting", "First tries and due retries that wait for their turn", ["path"]
)
OLDEST: Final = Gauge(
    "twoway_deliver_oldest_seconds",
    "When the record at the head of a path's queue was written, seconds since 1970; 0: none waits",
    ["path"],
)
UNDER_WAY: Final = Gauge(
    "twoway_deliver_under_way", "Attempts ordered and without a result", ["path"]
)
CIRCUIT_OPEN: Final = Gauge(
    "twoway_deliver_circuit_open",
    "Partitions in which first tries of the path wait, as it takes nothing",
    ["path"],
)
SMPP_BOUND: Final = Gauge(
    "twoway_deliver_smpp_bound",
    "Sessions of SMPP bound to this process, by path; 0: what its partitions have waits",
    ["path"],
)
CALL_SECONDS: Final = Histogram(
    "twoway_deliver_call_seconds",
    "From the start of an attempt to its end",
    ["way"],
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
AGE_SECONDS: Final = Histogram(
    "twoway_deliver_age_seconds",
    "From Kafka's time of a record to the start of its first attempt",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600),
)
