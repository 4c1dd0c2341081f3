"""The metrics of ingest. No label holds an address, a token or a text."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from pipeline.process.exposition import BUILD_INFO, exposition
from pipeline.process.hang import HUNG_AT

SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 3.0, 5.0)


class Metrics:
    """The metrics of one process, in a separate registry, so that tests can have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(HUNG_AT)
        self.registry.register(BUILD_INFO)
        self.requests = Counter(
            "twoway_ingest_requests_total",
            "Requests answered",
            ["way", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "twoway_ingest_request_seconds",
            "From the first octet of a request to its answer",
            ["way"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.refused = Counter(
            "twoway_ingest_refused_total",
            "Requests refused, by reason",
            ["reason"],
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "twoway_ingest_dead_letters_total",
            "Requests kept in the dead letter",
            ["source", "reason"],
            registry=self.registry,
        )
        self.failures = Counter(
            "twoway_ingest_failures_total",
            "Requests that met a defect of ingest and were answered 503",
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "twoway_ingest_in_flight", "Requests waiting for an answer", registry=self.registry
        )
        self.connections = Gauge(
            "twoway_ingest_connections", "Clients connected", registry=self.registry
        )
        self.reachable = Gauge(
            "twoway_ingest_kafka_reachable", "1 when Kafka answers", registry=self.registry
        )
        self.last_taken = Gauge(
            "twoway_ingest_last_taken_time_seconds",
            "When a callback was last answered 200, seconds since 1970; 0: never",
            registry=self.registry,
        )
        self.last_unavailable = Gauge(
            "twoway_ingest_last_unavailable_time_seconds",
            "When a callback was last answered 503, seconds since 1970; 0: never",
            registry=self.registry,
        )
        self.unavailable_since = Gauge(
            "twoway_ingest_unavailable_since_time_seconds",
            "Since when callbacks are answered 503 and none 200, seconds since 1970; 0: are not",
            registry=self.registry,
        )
        self.status_ids = Gauge(
            "twoway_ingest_status_ids",
            "Request ids known to GET /mt/{request_id}",
            registry=self.registry,
        )

        self._is_unavailable = False
        self._children: dict[tuple[str, int], Counter] = {}

    def count(self, way: str, status: int, seconds: float) -> None:
        """Count an answer and its time."""
        child = self._children.get((way, status))
        if child is None:
            child = self._children[way, status] = self.requests.labels(way, str(status))
        child.inc()
        self.seconds.labels(way).observe(seconds)

    def note_kafka(self, *, taken: bool, refused: bool) -> None:
        """Record the times that the alert on an hour of 503 uses."""
        if taken:
            self.last_taken.set_to_current_time()
            self.unavailable_since.set(0)
            self._is_unavailable = False
        elif refused:
            self.last_unavailable.set_to_current_time()
            if not self._is_unavailable:
                self._is_unavailable = True
                self.unavailable_since.set_to_current_time()

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return exposition(self.registry)
