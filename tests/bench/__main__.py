"""`make bench`: measure the figures of docs/measured.md in one run, the broker on the same machine.

    python -m tests.bench [--messages 100000] [--requests 30000] [--lines 10000000] [--only stack|…]

Prints a Markdown table. Compare its rows with each other, not with the rows of another machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from pipeline.cli.local.kafka import LocalKafka
from pipeline.settings import Settings
from tests.bench import (
    accounts_bench,
    delivery_bench,
    engine_bench,
    gate_bench,
    gateway_bench,
    idle_bench,
    ingest_bench,
    latency_bench,
    log_bench,
    pipeline_bench,
    report_bench,
    restore_bench,
    sender_bench,
    servers_bench,
    smpp_bench,
    waiting_bench,
)
from tests.bench.traffic import NUMBERS_TOML
from tests.support.orphans import kill_orphans_of_this_run
from tests.support.running import RunningStack

PARTITIONS = 4
RATE = 100
#: The first spell has a broker in it that is not compiled yet.
LATENCY_SECONDS = {"just started": 15, "then": 30}
IDLE_SECONDS = 30.0
ONLY = (
    "stack",
    "engine",
    "pipeline",
    "ingest",
    "gate",
    "restore",
    "smpp",
    "log",
    "sender",
    "gateway",
    "report",
    "delivery",
    "accounts",
    "waiting",
    "servers",
    "idle",
)


def ingest_rows(home: Path, requests: int) -> list[tuple[str, str]]:
    """An idle worker, end-to-end latency, and ingest's requests a second, on one `twoway up`."""
    settings = Settings()
    # As an installation has them; a local stack would have four.
    running = RunningStack(home, settings={"partitions": str(settings.partitions)})
    running.home.mkdir(parents=True)
    (running.home / "numbers.toml").write_text(NUMBERS_TOML)
    running.start()
    try:
        stack = running.stack
        rows = []
        for when, seconds in LATENCY_SECONDS.items():
            latency = asyncio.run(
                latency_bench.measure(
                    ingest=stack.ingest,
                    report=stack.report,
                    kafka=stack.kafka,
                    partitions=settings.partitions,
                    rate=RATE,
                    seconds=seconds,
                )
            )
            rows += [
                (
                    f"{what}, {RATE} messages/s, {when}",
                    f"p50 {at['p50 ms']} ms, p99 {at['p99 ms']} ms",
                )
                for what, at in latency.items()
            ]
        idle = idle_share(stack.pids["worker"], seconds=IDLE_SECONDS)
        rows += [(f"an idle worker with {settings.partitions} partitions", f"{idle:.1%} of a core")]
        for form in ("http-get", "http-post"):
            figures = uvloop.run(
                ingest_bench.measure(
                    stack.ingest, requests=requests, concurrency=64, seconds=120, form=form
                )
            )
            if figures["statuses"] != {200: requests}:
                raise RuntimeError(f"not every request was acknowledged: {figures}")
            rows.append(
                (
                    f"ingest {form.upper()[5:]}, each acknowledged, the whole stack running",
                    f"{figures['requests_per_second']} requests/s, p99 {figures['p99_ms']} ms",
                )
            )
        return rows
    finally:
        running.stop()


def idle_share(pid: int, *, seconds: float) -> float:
    """The processor time a second that a process takes during `seconds` (proc(5): utime, stime)."""

    def ticks() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before, began = ticks(), time.monotonic()
    time.sleep(seconds)
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)


def pipeline_rows(home: Path, messages: int) -> list[tuple[str, str]]:
    """From mo-raw and mt-request to every output of the stages, beside bare aiokafka."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        rates = pipeline_bench.run(broker.bootstrap, home / "worker", messages)
    finally:
        broker.stop()
    bare, ours = rates["bare aiokafka"], rates["one worker, all stages"]
    return [
        (
            name,
            f"{rate:,.0f} records/s ({rate / bare:.3f} of bare, {rate / ours:.2f} of one worker)",
        )
        for name, rate in rates.items()
    ]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure this machine.")
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--lines", type=int, default=report_bench.LINES, help="of the report")
    parser.add_argument("--only", choices=ONLY)
    given = parser.parse_args()
    kill_orphans_of_this_run()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # retries of a new topic
    rows: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        if given.only in (None, "pipeline"):
            rows += pipeline_rows(Path(folder) / "pipeline", given.messages)
        if given.only in (None, "stack"):
            rows += ingest_rows(Path(folder) / "stack", given.requests)
        if given.only in (None, "engine"):
            home = Path(folder) / "engine"
            rows += engine_bench.on_a_broker(home, rate=RATE, spells=LATENCY_SECONDS)
        if given.only in (None, "ingest"):
            rows += ingest_bench.rows(Path(folder) / "ingest", given.requests)
        if given.only in (None, "gate"):
            rows += gate_bench.on_a_broker(Path(folder) / "gate")
        if given.only in (None, "restore"):
            rows += restore_bench.on_a_broker(Path(folder) / "restore")
        if given.only in (None, "smpp"):
            rows += smpp_bench.rows(Path(folder) / "smpp", given.requests)
        if given.only in (None, "log"):
            rows += log_bench.rows(Path(folder) / "log", given.messages)
        if given.only in (None, "sender"):
            rows += sender_bench.on_a_broker(Path(folder) / "sender")
        if given.only in (None, "gateway"):
            rows += gateway_bench.rows(Path(folder) / "gateway")
        if given.only in (None, "report"):
            rows += report_bench.run(Path(folder) / "report", given.lines)
        if given.only in (None, "delivery"):
            rows += delivery_bench.on_a_broker(Path(folder) / "delivery")
        if given.only in (None, "accounts"):
            rows += accounts_bench.on_a_broker(Path(folder) / "accounts")
        if given.only in (None, "waiting"):
            rows += waiting_bench.on_a_broker(Path(folder) / "waiting")
        if given.only in (None, "servers"):
            rows += servers_bench.on_brokers(Path(folder) / "servers")
        if given.only in (None, "idle"):
            rows += idle_bench.run(Path(folder) / "idle")
    sys.stdout.write("| what | here |\n|---|---|\n")
    for what, figure in rows:
        sys.stdout.write(f"| {what} | {figure} |\n")


if __name__ == "__main__":
    main()
