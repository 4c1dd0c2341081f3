"""The parts of the real stand-in in the form that the page uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.gateway.faults.reading import rules_from
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.page.showing import MOST_ADDED, Showing
from pipeline.gateway.settings import GatewaySettings
from pipeline.gateway.world import EventKind, World
from tests.gateway.page.lively import ALICE, BOB, NUMBER
from tests.gateway.page.serving import served

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    world = World(lambda: datetime(2026, 3, 4, tzinfo=UTC))
    return Gateway(GatewaySettings(home=tmp_path, short_codes=("88802",)), world)


def test_phones_are_those_put_there_and_those_of_events(gateway: Gateway) -> None:
    desk = Showing(gateway)
    desk.add_phone(BOB)
    gateway.world.happen(EventKind.SUBMITTED, handset=ALICE)
    assert list(desk.phones()) == [BOB, ALICE]
    assert list(desk.numbers()) == [NUMBER, "88802"]


def test_the_desk_has_room_for_so_many_phones(gateway: Gateway) -> None:
    desk = Showing(gateway)
    for number in range(MOST_ADDED):
        desk.add_phone(str(447700900000 + number))
    with pytest.raises(ValueError, match="1,000 phones"):
        desk.add_phone("1")


def test_consent_is_open_until_a_handset_says_stop(gateway: Gateway) -> None:
    desk = Showing(gateway)
    assert desk.consent_of(ALICE) == {"all numbers": "open"}
    gateway.consent.texted(ALICE, NUMBER, "STOP")
    gateway.consent.texted(BOB, NUMBER, "STOP ALL")
    assert desk.consent_of(ALICE) == {NUMBER: "confirmation-due"}
    assert desk.consent_of(BOB) == {"all numbers": "confirmation-due"}


def test_a_switch_is_the_faults_own(gateway: Gateway) -> None:
    desk = Showing(gateway)
    desk.switch("html", is_on=True)
    assert [fault.name for fault in gateway.faults if fault.is_on] == ["html"]
    gateway.world.happen(EventKind.FAULT, handset=ALICE, facts={"fault": "html"})
    (switch,) = [switch for switch in desk.switches() if switch.is_on]
    assert (switch.played, switch.handset) == (1, "279991000004")
    desk.switch("html", is_on=False)
    assert not [switch for switch in desk.switches() if switch.is_on]
    with pytest.raises(KeyError):
        desk.switch("none", is_on=True)


def test_rules_are_shown_as_they_were_written(gateway: Gateway) -> None:
    text = '[[fault]]\ndo = "html"\n[[fault]]\ndo = "hang"\nway = "xml"\nnth = 3\nseconds = 5\n'
    gateway.all_faults.use(rules_from(text, origin="x"))
    assert list(Showing(gateway).rules()) == ["html", "hang way=xml nth=3 seconds=5"]


def test_every_fault_has_a_group_on_the_page(gateway: Gateway) -> None:
    switches = Showing(gateway).switches()
    assert {switch.group for switch in switches} == {
        "Answers to the product",
        "Refusals",
        "Connections",
        "Statuses",
        "What handsets send",
    }


def test_no_password_is_on_the_account(gateway: Gateway) -> None:
    assert gateway.settings.password not in "".join(Showing(gateway).account().values())


def test_the_account_says_balance_and_logins(gateway: Gateway) -> None:
    gateway.urls["http"] = "http://127.0.0.1:8090/http"
    gateway.account.charge(3.0, "MT to 447700900001")
    said = Showing(gateway).account()
    assert next(iter(said.items())) == ("Balance", "997.00 credits")
    assert said["Latest charge"] == "3.00 for MT to 447700900001"
    assert said["API by HTTP"] == "10001 at http://127.0.0.1:8090/http"


async def test_an_empty_gateway_has_a_page(gateway: Gateway) -> None:
    async with served(Showing(gateway)) as url, httpx.AsyncClient(base_url=url) as client:
        page = await client.get("/")
        assert page.status_code == 200
        assert "There is no phone yet" in page.text
        assert (await client.post("/phones", data={"handset": ALICE})).status_code == 303
        assert f"phone-{ALICE}" in (await client.get("/")).text
