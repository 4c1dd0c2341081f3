"""Whatever a peer says: our process lives, stays small, says nothing it must not, and goes on.

The table is in tests/hostile/peers/table.py.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.sender.apis.api import WayName
from tests.hostile.lying_server import wait_until
from tests.hostile.peers import table
from tests.hostile.peers.installation import Installation
from tests.hostile.peers.lies import LIES
from tests.hostile.scale import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.broker, pytest.mark.timeout(3_600 if IS_LONG else 500)]

LYING_SECONDS: Final = 1.5
#: Rows whose peers may lie at once, for none of them needs another one's; and what they tell in
#: the suite. The long form has each row by itself, with each lie.
AT_ONCE: Final = {
    "kafka": (
        *("ingest-kafka", "worker-kafka", "store-kafka", "smpp-kafka", "ftp-kafka"),
        "sender-kafka",
    ),
    "others": ("store-clickhouse-insert", "smpp-gateway", "ftp-server"),
    "questions": ("store-clickhouse-pages", "store-clickhouse-sql"),
    "commands": ("command-kafka", "command-report"),
    "ways out": tuple(f"sender-{way}" for way in WayName),
    "status query": ("sender-query",),
}
IN_THE_SUITE: Final = {
    "kafka": ("echoes-a-number", "never-ends"),
    "others": ("echoes-a-number", "never-ends", "slow-octets"),
    "questions": ("control-characters", "never-ends"),
    "commands": ("echoes-a-secret",),
    "ways out": ("echoes-a-number", "never-ends", "ends-in-the-middle"),
    "status query": ("echoes-a-secret",),
}
EACH: Final = (*(name for names in AT_ONCE.values() for name in names), "ingest-kafka-status")
CASES: Final = (
    [pytest.param([name], lie, id=f"{name}-{lie}") for name in EACH for lie in LIES]
    if IS_LONG
    else [
        pytest.param(AT_ONCE[group], lie, id=f"{group}-{lie}")
        for group, lies in IN_THE_SUITE.items()
        for lie in lies
    ]
)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    it = Installation(tmp_path_factory.mktemp("peers"))
    try:
        for row in table.rows_of(it).values():
            row.take_honest(seconds=table.START_SECONDS)
        it.begin()
        yield it
    finally:
        it.close()


def put_through(it: Installation, names: Sequence[str], lie: str) -> None:
    rows = [table.rows_of(it)[name] for name in names]
    proxies = {row.proxy for row in rows}
    for process in it.processes.values():
        process.begin_anew()
    try:
        for proxy in proxies:
            proxy.lie(lie)
        began = time.monotonic()
        for row in rows:
            row.provoke()
        for row in rows:
            wait_until(lambda row=row: row.proxy.told > 0)  # type: ignore[misc]
        time.sleep(max(0.0, began + LYING_SECONDS - time.monotonic()))  # so long they are lied to
    finally:
        for proxy in proxies:
            proxy.be_honest()
    if not IS_LONG:  # whoever waits for more waits for as long as the product lets it
        for proxy in proxies:
            proxy.cut()
    for row in rows:
        row.take_honest()
    table.check(it)


def test_the_table_is_whole(installation: Installation) -> None:
    rows = table.rows_of(installation)
    assert sorted(rows) == sorted(EACH)
    assert {row.proxy for row in rows.values()} == {
        *installation.kafka.values(),
        *installation.ways_out.proxies.values(),
        *(installation.clickhouse, installation.report, installation.smpp, installation.ftp),
    }
    told = {lie for lies in IN_THE_SUITE.values() for lie in lies}
    assert told <= set(LIES)


@pytest.mark.parametrize(("names", "lie"), CASES)
def test_peers_that_lie(installation: Installation, names: Sequence[str], lie: str) -> None:
    put_through(installation, names, lie)
