"""One real broker for the whole run, and homes that go away."""

from __future__ import annotations

import importlib
import os
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

from deploy.local.kafka import LocalKafka
from pipeline.admin import create_topics
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTITIONS = 4

settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def twoway_home(tmp_path: Path) -> Path:
    """A home of this test's own, not yet made."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def kafka_settings() -> Settings:
    """The settings of the suite's broker."""
    return Settings(partitions=PARTITIONS)


@pytest.fixture(scope="session")
def kafka(kafka_settings: Settings) -> Iterator[str]:
    """Bootstrap address of the suite's broker, which has the topics of `schemas/topics.toml`."""
    with tempfile.TemporaryDirectory(prefix="twoway-tests-") as folder:
        broker = LocalKafka(home=Path(folder), partitions=PARTITIONS)
        try:
            broker.start()
            create_topics(broker.bootstrap, kafka_settings)
            yield broker.bootstrap
        finally:
            broker.stop()


@pytest.fixture
def kafka_factory(tmp_path: Path) -> Iterator[Callable[[], LocalKafka]]:
    """Brokers of a test's own, to be killed and started again; each call makes another."""
    made: list[LocalKafka] = []

    def make() -> LocalKafka:
        made.append(LocalKafka(home=tmp_path / f"kafka-{len(made)}", partitions=PARTITIONS))
        return made[-1]

    yield make
    for broker in made:
        broker.kill()
