"""What TLS with a login costs the pipeline, and what three copies of each record cost it.

    python -m tests.bench --only servers

One broker has an open listener, and one with TLS, SCRAM and ACLs. Three others keep each record
three times, and acknowledge what two of them have. All brokers run at once and take turns, so that
each figure is beside the plain one of the same turn. The load and who counts use no TLS.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import uvloop

from pipeline.avro import single_object
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.kafka import topics
from pipeline.kafka.acls import allow
from pipeline.kafka.admin import create_topics
from pipeline.kafka.principals import PERMISSIONS, principal_of
from pipeline.settings import Settings
from tests.bench import ingest_bench, latency_bench
from tests.bench.engine_bench import await_ready
from tests.bench.pipeline_bench import WorkedOff, process, publish, repeats_in
from tests.bench.traffic import directory, mixed_traffic
from tests.chaos.brokers.cluster import Cluster
from tests.chaos.brokers.node import JAVA_OPTIONS, directly
from tests.support.secured_kafka import SecuredKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Row = tuple[str, str]

PARTITIONS: Final = Settings().partitions  # as an installation has them
RECORDS: Final = 40_000
ROUNDS: Final = 3
HANDSETS: Final = 20_000
FIRST_PREFIX: Final = 2710  # of handsets: no burst repeats another
RATE: Final = 100
WARM_UP_SECONDS: Final = 10
RATE_SECONDS: Final = 30
REQUESTS: Final = 10_000
AT_ONCE: Final = 64
SECONDS: Final = 120.0
THREE_COPIES: Final = {"replication_factor": "3", "min_insync_replicas": "2"}
WORKER: Final = ("-m", "pipeline.cli.main", "worker")
INGEST: Final = ("-m", "pipeline.cli.main", "ingest")


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Brokers, as the processes are told to use them."""

    name: str
    open: str  # the address without TLS and login
    home: Path  # of the processes; those of one broker have the same
    settings: Callable[[str], Mapping[str, str]]  # of a process

    def process(self, words: tuple[str, ...], **more: str) -> Any:
        """A process of the product, with these settings and more."""
        name = words[-1]
        given = {"partitions": str(PARTITIONS), **self.settings(name), **more}
        return process(words, bootstrap=self.open, home=self.home / name, settings=given)


def started(home: Path, ending: ExitStack) -> list[Servers]:
    """Start all brokers, with the topics and the directory of the traffic."""
    one = SecuredKafka(home=home / "one", partitions=PARTITIONS)
    one.java_options = JAVA_OPTIONS  # those of the three
    ending.callback(one.stop)
    one.start()
    one.add_users(map(principal_of, PERMISSIONS))
    with closing(one.admin()) as admin:
        allow(admin, {each: principal_of(each) for each in PERMISSIONS})
    three = Cluster(home / "three", address=directly)
    ending.callback(three.stop)
    three.start()
    _fill(one.bootstrap, {})
    _fill(three.bootstrap, THREE_COPIES)
    return [
        Servers(name="plain", open=one.bootstrap, home=home / "one", settings=lambda _: {}),
        Servers(
            name="SASL_SSL, SCRAM and ACLs",
            open=one.bootstrap,
            home=home / "one",
            settings=lambda name: one.settings(principal_of(name)),
        ),
        Servers(
            name="three brokers, three copies",
            open=three.bootstrap,
            home=home / "three",
            settings=lambda _: THREE_COPIES,
        ),
    ]


def _fill(bootstrap: str, settings: Mapping[str, str]) -> None:
    copies = {name: int(value) for name, value in settings.items()}
    create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS, **copies))
    numbers = single_object.encode(directory())
    asyncio.run(publish(bootstrap, [(topics.NUMBERS, None, numbers, n) for n in range(PARTITIONS)]))


async def rate_of(servers: Servers, *, records: int, prefix: str) -> float:
    """Records a second that one worker decides, from the first commit to the last."""
    traffic = list(mixed_traffic(records, handsets=HANDSETS, prefix=prefix))
    async with asyncio.timeout(SECONDS), WorkedOff(servers.open, partitions=PARTITIONS) as done:
        await publish(servers.open, traffic)
        with servers.process(WORKER):
            return await done.rate(records - repeats_in(records))


def latencies_of(servers: Servers, *, seconds: int) -> dict[str, dict[str, float]]:
    """From a callback to its 200, and from there to what the worker commits."""
    http, metrics = free_port(), free_port()
    with (
        servers.process(WORKER, metrics_port=str(metrics)),
        servers.process(INGEST, http_port=str(http)),
    ):
        await_ready(metrics)
        await_ready(http)
        found: dict[str, dict[str, float]] = {}
        for spell in (min(WARM_UP_SECONDS, seconds), seconds):
            found = asyncio.run(
                latency_bench.measure(
                    ingest=f"http://{LOOPBACK}:{http}",
                    kafka=servers.open,
                    partitions=PARTITIONS,
                    rate=RATE,
                    seconds=spell,
                )
            )
        return found


def callbacks_of(servers: Servers, *, requests: int) -> tuple[float, float]:
    """Callbacks a second that ingest acknowledges, and their p99 in ms; nothing else runs."""
    http = free_port()
    with servers.process(INGEST, http_port=str(http)):
        await_ready(http)
        url = f"http://{LOOPBACK}:{http}"
        for count in (min(ingest_bench.WARM_UP, requests), requests):
            figures = uvloop.run(
                ingest_bench.measure(url, requests=count, concurrency=AT_ONCE, seconds=SECONDS)
            )
            if figures["statuses"] != {200: count}:
                raise RuntimeError(f"not every request was acknowledged: {figures}")
        return figures["requests_per_second"], figures["p99_ms"]


def on_brokers(
    home: Path, *, records: int = RECORDS, seconds: int = RATE_SECONDS, requests: int = REQUESTS
) -> list[Row]:
    """The rows of the table, measured on brokers that this bench starts."""
    with ExitStack() as ending:
        every = started(home, ending)
        rates: defaultdict[str, list[float]] = defaultdict(list)
        for number in range(ROUNDS):
            for at, servers in enumerate(every, FIRST_PREFIX + number * len(every)):
                rate = asyncio.run(rate_of(servers, records=records, prefix=str(at)))
                rates[servers.name].append(rate)
        latencies = {each.name: latencies_of(each, seconds=seconds) for each in every}
        callbacks = {each.name: callbacks_of(each, requests=requests) for each in every}
    return [*_rate_rows(rates), *_latency_rows(latencies), *_callback_rows(callbacks)]


def _rate_rows(rates: Mapping[str, list[float]]) -> Iterator[Row]:
    plain = next(iter(rates.values()))
    for name, found in rates.items():
        here = " · ".join(f"{rate:,.0f}" for rate in found)
        beside = " · ".join(f"{one / other:.2f}" for one, other in zip(found, plain, strict=True))
        yield f"one worker, all stages, {name}", f"{here} records/s ({beside} of plain)"


def _latency_rows(latencies: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterator[Row]:
    plain = next(iter(latencies.values()))
    for name, found in latencies.items():
        for what, at in found.items():
            beside = " and ".join(f"{ms / plain[what][which]:.2f}" for which, ms in at.items())
            words = ", ".join(f"{which.removesuffix(' ms')} {ms} ms" for which, ms in at.items())
            yield f"{what}, {RATE} messages/s, {name}", f"{words} ({beside} of plain)"


def _callback_rows(callbacks: Mapping[str, tuple[float, float]]) -> Iterator[Row]:
    plain, _ = next(iter(callbacks.values()))
    for name, (rate, p99) in callbacks.items():
        figures = f"{rate:,.0f} callbacks/s ({rate / plain:.2f} of plain), p99 {p99} ms"
        yield f"ingest HTTP GET, each acknowledged, {AT_ONCE} at once, {name}", figures
