"""One real broker and one whole stack for the whole run, and homes that are removed.

`STACK=docker` takes broker and ClickHouse from containers instead.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

with warnings.catch_warnings():
    # kafka-python 3.0.12 reads its schemas by a function that Python 3.11 deprecates.
    warnings.filterwarnings("ignore", "(read|open)_text is deprecated", DeprecationWarning)
    importlib.import_module("kafka")

from pipeline.cli.local.kafka import LocalKafka
from pipeline.kafka.admin import create_topics
from pipeline.process.loading import loading
from pipeline.settings import Settings
from tests.support import side_by_side
from tests.support.authorities_once import read_authorities_once
from tests.support.emptied import begin_empty
from tests.support.log_search import refuse_handsets_in_logs
from tests.support.migrated import migrated
from tests.support.orphans import kill_orphans_of_this_run
from tests.support.running import RunningStack
from tests.support.templates_once import compile_templates_once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

pytest_plugins = ["tests.support.browser", "tests.support.equipped", "tests.support.played"]

PARTITIONS = 4
PATIENCE_SECONDS = 60.0  # `up` itself must end in ten; tests/cli/local holds it to that
IN_CONTAINERS = os.environ.get("STACK") == "docker"

# A run says the same each time; `pytest --hypothesis-profile=dev` looks further.
settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, max_examples=1_000)
settings.load_profile("ci")


def pytest_configure(config: pytest.Config) -> None:
    """Prepare tests that run side by side, as `make test` does; their processes end with them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell has its background jobs ignore it, and what they start would ignore it, too.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    kill_orphans_of_this_run()
    compile_templates_once()
    read_authorities_once()
    config.pluginmanager.register(side_by_side)


def pytest_xdist_auto_num_workers() -> int:
    """Three processes more than there are processors: tests of running processes wait a lot."""
    return (os.cpu_count() or 1) + 3


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without the garbage collector, which then leaves alone what was collected.

    14,000 tests stay to the end of the run: to look through them again and again takes seconds.
    """
    with loading():
        yield


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """The log of this process is reset after each test.

    pytest has one handler for `caplog` in all tests: a filter that stays on it would hide lines of
    later tests.
    """
    root = logging.getLogger()
    factory = logging.getLogRecordFactory()
    before = [(handler, list(handler.filters)) for handler in root.handlers]
    yield
    logging.setLogRecordFactory(factory)
    for handler, filters in before:
        handler.filters[:] = filters


@pytest.fixture
def twoway_home(tmp_path: Path) -> Path:
    """A home for this test, not yet made."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def kafka_settings() -> Settings:
    """The settings of the suite's broker."""
    return Settings(partitions=PARTITIONS)


@pytest.fixture(scope="session")
def kafka(kafka_settings: Settings) -> Iterator[str]:
    """Bootstrap address of the suite's broker, which has the topics of `schemas/topics.toml`."""
    if IN_CONTAINERS:
        from tests.support import containers

        containers.require_engine()
        with containers.kafka_container(partitions=PARTITIONS) as bootstrap:
            create_topics(bootstrap, kafka_settings)
            yield bootstrap
        return
    with tempfile.TemporaryDirectory(prefix="twoway-tests-") as folder:
        broker = LocalKafka(home=Path(folder), partitions=PARTITIONS)
        try:
            broker.start()
            create_topics(broker.bootstrap, kafka_settings)
            yield broker.bootstrap
        finally:
            broker.kill()  # nobody reads its files


@pytest.fixture(scope="session")
def empty_kafka(kafka_settings: Settings) -> Iterator[Callable[[], LocalKafka]]:
    """A broker for tests that take turns on it. Each call empties and starts it.

    For a test that kills the broker, or that writes to the topics of `schemas/topics.toml` and must
    find no records of others.
    """
    with tempfile.TemporaryDirectory(prefix="twoway-turns-") as folder:
        broker = LocalKafka(home=Path(folder), partitions=PARTITIONS)

        def begin() -> LocalKafka:
            begin_empty(broker, kafka_settings)
            return broker

        try:
            yield begin
        finally:
            broker.kill()


@pytest.fixture
def kafka_factory(tmp_path: Path) -> Iterator[Callable[[], LocalKafka]]:
    """Brokers for one test, which may kill and restart them; each call makes another."""
    made: list[LocalKafka] = []

    def make() -> LocalKafka:
        home = tmp_path / f"kafka-{len(made)}"
        made.append(LocalKafka(home=home, partitions=PARTITIONS))
        return made[-1]

    yield make
    for broker in made:
        broker.kill()


@pytest.fixture(scope="session")
def clickhouse() -> Iterator[str]:
    """The setting `clickhouse`: empty, the embedded engine; a server's URL with STACK=docker."""
    if not IN_CONTAINERS:
        yield ""
        return
    from tests.support import containers

    containers.require_engine()
    with containers.clickhouse_container() as url:
        yield url


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[RunningStack]:
    """The suite's `twoway up`, ready. Tests on it use handsets of their own."""
    given = {"block_seconds": "0.2", "partitions": str(PARTITIONS)}
    if IN_CONTAINERS:
        given |= {
            "kafka": request.getfixturevalue("kafka"),
            "clickhouse": request.getfixturevalue("clickhouse"),
        }
    with tempfile.TemporaryDirectory(prefix="twoway-stack-") as folder:
        home = Path(folder) / "home"
        running = RunningStack(home if IN_CONTAINERS else migrated(home), settings=given)
        try:
            running.start()
            yield running
            running.stop(within_seconds=PATIENCE_SECONDS)
            refuse_handsets_in_logs(running.home)
        finally:
            running.kill()


@pytest.fixture
def stack_factory(tmp_path: Path) -> Iterator[Callable[..., RunningStack]]:
    """Stacks for one test, which may kill them; `settings` by their names. One for each call."""
    made: list[RunningStack] = []

    def make(settings: Mapping[str, str] | None = None) -> RunningStack:
        home = migrated(tmp_path / f"stack-{len(made)}")
        made.append(RunningStack(home, settings=settings))
        return made[-1]

    yield make
    for running in made:
        running.kill()
    for running in made:
        refuse_handsets_in_logs(running.home)
