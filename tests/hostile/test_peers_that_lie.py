"""Whatever a peer says: our process lives, stays small, says nothing it must not, and goes on.

The table is in tests/hostile/peers/table.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipeline.sender.apis.api import WayName
from tests.hostile.peers import table
from tests.hostile.peers.exchange import lied_to, take_honest
from tests.hostile.peers.installation import Installation
from tests.hostile.peers.lies import LIES
from tests.hostile.scale import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.broker, pytest.mark.timeout(3_600 if IS_LONG else 500)]

#: Rows whose exchanges may go on at once, and whose peers may lie at once, for none of them needs
#: another one's; and what the peers tell in the suite. The long form has each row by itself, with
#: each lie.
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
STATUS: Final = "ingest-kafka-status"
EACH: Final = (*(name for names in AT_ONCE.values() for name in names), STATUS)
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
        rows = table.rows_of(it)
        for names in (*AT_ONCE.values(), [STATUS]):
            take_honest([rows[name] for name in names], seconds=table.START_SECONDS)
        it.begin()
        yield it
    finally:
        it.close()


def put_through(it: Installation, names: Sequence[str], lie: str) -> None:
    rows = [table.rows_of(it)[name] for name in names]
    lied_to(rows, lie, it.processes.values())
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
