"""The page of the stand-in, on its own port: real exchanges, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from pipeline.gateway.world import EventKind
from tests.gateway.page.lively import ALICE, NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_a_form_becomes_a_callback_and_both_are_shown(play: Callable[..., Any]) -> None:
    async with play() as played:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            form = {"number": NUMBER, "text": "\u0127" * 100}
            assert (await client.post(f"/phones/{ALICE}/texts", data=form)).status_code == 303
            page = (await client.get("/")).text
        assert len(played.product.calls) == 2
        assert "taken by HTTP-GET" in page
        assert "of 2 parts" not in page


async def test_the_answer_to_a_submission_is_shown_too(play: Callable[..., Any]) -> None:
    async with play() as played:
        settings = played.gateway.settings
        login = {"user": settings.user, "password": settings.password, "api_id": "10001"}
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            for to in (ALICE, "279991000122"):
                given = login | {"to": to, "text": "Hi", "from": NUMBER, "mo": "1"}
                answer = await client.get("/http/sendmsg", params=given)
                said = (e for e in played.gateway.world.events if e.received)
                event = next(e for e in said if e.handset == to)
                assert event.sent.endswith(answer.content)
                page = (await client.get(f"/exchanges/{event.number}")).text
                assert "Sent by the gateway" in page
                assert "GET /http/sendmsg" in page
        kinds = [event.kind for event in played.gateway.world.events if event.received]
        assert kinds == [EventKind.SUBMITTED, EventKind.REFUSED]
