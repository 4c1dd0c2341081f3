"""Whatever an application says: `twoway deliver` lives, stays small, keeps secrets, and goes on.

The table is in tests/hostile/peers/application_rows.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from pipeline.records import ReplyWay
from tests.hostile.peers.application_rows import KAFKA, check, name_of, rows_of
from tests.hostile.peers.applications import TONGUES, Applications
from tests.hostile.peers.exchange import lied_to, take_honest
from tests.hostile.peers.lies import LIES
from tests.hostile.peers.table import START_SECONDS
from tests.hostile.scale import IS_LONG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.broker, pytest.mark.timeout(3_600 if IS_LONG else 500)]

WAYS: Final = tuple(name_of(way) for way in TONGUES)
IN_THE_SUITE: Final = {
    (KAFKA,): ("never-ends",),
    WAYS: ("echoes-a-number", "never-ends", "slow-octets", "says-nothing", "ends-in-the-middle"),
}
CASES: Final = (
    [pytest.param((name,), lie, id=f"{name}-{lie}") for name in (KAFKA, *WAYS) for lie in LIES]
    if IS_LONG
    else [
        pytest.param(names, lie, id=f"{'kafka' if names == (KAFKA,) else 'ways'}-{lie}")
        for names, lies in IN_THE_SUITE.items()
        for lie in lies
    ]
)


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applications]:
    it = Applications(tmp_path_factory.mktemp("applications"))
    try:
        take_honest(list(rows_of(it).values()), seconds=START_SECONDS)
        for process in it.processes.values():
            process.begin()
        yield it
    finally:
        it.close()


def test_every_way_with_a_peer_has_a_row(applications: Applications) -> None:
    """A file has no peer."""
    rows = rows_of(applications)
    assert set(rows) == {KAFKA, *(name_of(way) for way in ReplyWay if way is not ReplyWay.FILE)}
    assert {row.proxy for row in rows.values()} == {
        applications.kafka,
        *applications.proxies.values(),
    }


@pytest.mark.parametrize(("names", "lie"), CASES)
def test_applications_that_lie(applications: Applications, names: Sequence[str], lie: str) -> None:
    rows = rows_of(applications)
    lied_to([rows[name] for name in names], lie, applications.processes.values())
    check(applications)
