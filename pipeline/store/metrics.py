"""The metrics of the store, each name once."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from pipeline.records import ConsentRule, GateRule

ROWS: Final = Counter("twoway_store_rows_total", "Rows written to ClickHouse", ["topic"])
BLOCKS: Final = Counter("twoway_store_blocks_total", "Blocks written and committed", ["topic"])
UNREADABLE: Final = Counter(
    "twoway_store_unreadable_total", "Records that cannot be read; kept in dead_letter", ["topic"]
)
LOST: Final = Counter(
    "twoway_store_lost_total",
    "Offsets that Kafka had deleted before they were stored",
    ["topic"],
)
RETRIES: Final = Counter(
    "twoway_store_retries_total", "Tries that failed and were made again", ["target"]
)
UNAVAILABLE: Final = Gauge(
    "twoway_store_unavailable", "1 while a write to the target is failing", ["target"]
)
WAITS: Final = Gauge(
    "twoway_store_waits", "1 while a topic waits for a right deploy to be stored", ["topic"]
)
INSERT_SECONDS: Final = Histogram(
    "twoway_store_insert_seconds",
    "Time of an insert",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
AGE_SECONDS: Final = Histogram(
    "twoway_store_age_seconds",
    "From a record's Kafka timestamp to its row",
    buckets=(0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 30, 60, 300),
)
OPEN_ROWS: Final = Gauge("twoway_store_open_rows", "Rows read and not yet written", ["topic"])
SQL: Final = Counter("twoway_store_sql_total", "Statements asked of /sql", ["outcome"])
WARNING: Final = Gauge(
    "twoway_store_warning", "How many things a warning of the report is about", ["warning"]
)
MESSAGES: Final = Counter(
    "twoway_store_messages_total",
    "Messages of handsets that were stored, by number of ours and way",
    ["number", "way"],
)
COMMANDS: Final = Counter(
    "twoway_store_commands_total",
    "Commands that the gate let pass, by number of ours and purpose",
    ["number", "purpose"],
)
REFUSALS: Final = Counter(
    "twoway_store_refusals_total", "Requests and commands that a rule of the gate refused", ["rule"]
)
STOPS: Final = Counter(
    "twoway_store_stops_total", "Scopes that were open and are stopped, by rule", ["rule"]
)
WAITING: Final = Gauge(
    "twoway_store_waiting", "How many things wait for somebody, by kind", ["what"]
)
OLDEST_WAITING: Final = Gauge(
    "twoway_store_oldest_waiting_seconds",
    "For how long the oldest of the things that wait has waited; 0: none waits",
    ["what"],
)
# Prometheus sees no increase in a series that is new.
for _gate_rule in GateRule:
    REFUSALS.labels(_gate_rule.value)
for _consent_rule in ConsentRule:
    STOPS.labels(_consent_rule.value)
