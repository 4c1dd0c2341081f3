"""Where the stand-in listens, who may look, and with which token it calls the product."""

from types import SimpleNamespace

import aiohttp
import pytest
from multidict import CIMultiDict

from pipeline.gateway.page.guard import refuse
from pipeline.gateway.settings import GatewaySettings
from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to


@pytest.mark.parametrize(
    ("host", "reached"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("10.1.2.3",) * 2],  # noqa: S104
)
def test_it_says_where_this_machine_reaches_it(tmp_path, host, reached):
    assert GatewaySettings(home=tmp_path, host=host).reached_at == reached


async def test_with_a_token_messages_and_statuses_go_to_its_path(play):
    async with play(**{"token": "to ken/1"}) as played, way_to(played.gateway, WayName.HTTP) as way:
        await played.gateway.text(HANDSET, NUMBER, "Hello")
        await way.submit(submission(), always)
        await until(lambda: of_kind(played.gateway, EventKind.STATUS))
        paths = {path for path, _, _ in played.product.calls}
        assert paths == {"/t/to ken/1/mo/http", "/t/to ken/1/status/http"}
        page = await seen_at(played.gateway, Host="127.0.0.1")
        assert "to ken" not in page
        assert "to%20ken" not in page


async def seen_at(gateway, **headers):
    """The page as this machine gets it; empty where it is refused."""
    url = f"http://127.0.0.1:{gateway.http.port}/"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers={"Host": "127.0.0.1"} | headers) as answer,
    ):
        return await answer.text() if answer.status == 200 else ""


@pytest.mark.parametrize(
    ("host", "headers", "is_shown"),
    [
        ("127.0.0.1", {}, True),
        ("0.0.0.0", {}, True),  # noqa: S104
        ("0.0.0.0", {"Host": "gateway:8090"}, False),  # noqa: S104 - a name that others may give it
        ("0.0.0.0", {"Origin": "http://evil.example"}, False),  # noqa: S104
        ("0.0.0.0", {"Sec-Fetch-Site": "cross-site"}, False),  # noqa: S104
        ("0.0.0.0", {"X-Forwarded-For": "192.0.2.1"}, False),  # noqa: S104
    ],
)
async def test_the_page_is_shown_to_this_machine_by_its_own_name(play, host, headers, is_shown):
    async with play(host=host) as played:
        assert bool(await seen_at(played.gateway, **headers)) is is_shown


@pytest.mark.parametrize(
    ("peer", "host", "is_open", "is_refused"),
    [
        ("127.0.0.1", "127.0.0.1:8090", False, False),
        ("172.18.0.1", "127.0.0.1:8090", False, True),
        ("172.18.0.1", "127.0.0.1:8090", True, False),  # this machine, to a container
        ("172.18.0.1", "localhost:8090", True, False),
        ("172.18.0.1", "gateway:8090", True, True),
        ("172.18.0.1", "rebound.example:8090", True, True),
        ("", "127.0.0.1:8090", True, True),
    ],
)
def test_who_may_look_from_another_address(peer, host, is_open, is_refused):
    request = SimpleNamespace(remote=peer, headers=CIMultiDict({"Host": host}))
    assert (refuse(request, is_open=is_open) is not None) is is_refused
