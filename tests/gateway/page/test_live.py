"""The live streams: which places changed, where to continue, and when to load everything again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.gateway.page.live import MOST_BEHIND, Live
from pipeline.gateway.page.rendering import Rendering
from pipeline.gateway.world import EVENTS_KEPT, EventKind
from tests.gateway.page.lively import ALICE, BOB, MARKUP, NUMBER, Lively, lively

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Message:
    """A server-sent event, read as the standard says (HTML Living Standard 9.2.6)."""

    def __init__(self, octets: bytes) -> None:
        fields = [line.partition(": ") for line in octets.decode().splitlines() if line]
        self.fields = {name: value for name, _, value in fields}
        self.places: list[dict[str, str]] = json.loads(self.fields.get("data", "[]"))

    @property
    def targets(self) -> list[str]:
        return [place["target"] for place in self.places]


async def next_of(stream: AsyncIterator[bytes]) -> Message:
    return Message(await anext(stream))


def opened(desk: Lively, seen: int) -> tuple[Live, AsyncIterator[bytes]]:
    live = Live(desk, Rendering(desk))
    return live, live.changes(f"{live.run}-{seen}")


async def test_an_mt_comes_as_a_row_a_bubble_and_the_credit() -> None:
    desk = lively()
    last = desk.world.events[-1].number
    live, stream = opened(desk, last)
    assert (await next_of(stream)).fields == {"retry": "1000"}
    assert "switches" in (await next_of(stream)).targets
    desk.mt(ALICE, "Fresh")
    message = await next_of(stream)
    assert message.fields["id"] == f"{live.run}-{desk.world.events[-1].number}"
    first = last + 1
    assert message.targets == [
        *(f"x{first}", f"x{first + 2}", f"b{first}", f"consent-{ALICE}"),
        *("account-facts", "credit", "clock"),
    ]
    assert [p["into"] for p in message.places][:3] == ["rows", "rows", f"thread-{ALICE}"]
    assert "delivered · 004" in message.places[2]["html"]


async def test_a_later_status_puts_the_old_bubble_anew() -> None:
    desk = lively()
    known: dict[str, Any] = {"message_id": "late", "sender_id": NUMBER}
    first = desk.happen(EventKind.SUBMITTED, ALICE, "Late", **known)
    _, stream = opened(desk, first.number)
    await next_of(stream)
    await next_of(stream)
    desk.happen(EventKind.STATUS, ALICE, facts={"status": "007"}, **known)
    message = await next_of(stream)
    bubbles = [place for place in message.places if place["target"].startswith("b")]
    assert [place["target"] for place in bubbles] == [f"b{first.number}"]
    assert "not delivered · 007" in bubbles[0]["html"]


async def test_a_text_with_line_ends_and_markup_stays_one_harmless_message() -> None:
    desk = lively()
    _, stream = opened(desk, desk.world.events[-1].number)
    await next_of(stream)
    await next_of(stream)
    await desk.text(BOB, NUMBER, f"a\n\ndata: x\n\nevent: anew\n\n\u2028{MARKUP}\0\u202e\ud83d")
    octets = await anext(stream)
    assert octets.count(b"\n") == 4
    (bubble,) = [p for p in Message(octets).places if p["into"] == f"thread-{BOB}"]
    assert "<script" not in bubble["html"]
    assert "<img" not in bubble["html"]
    assert not {"\0", "\u202e", "\ud83d"} & set(bubble["html"])


@pytest.mark.parametrize(
    "seen",
    ["", "0", "other-3", "{run}-", "{run}-x", "{run}-99999", "{run}-٣", "{run}-" + "9" * 5_000],
)
async def test_a_place_that_is_not_known_asks_for_the_page_anew(seen: str) -> None:
    desk = lively()
    live = Live(desk, Rendering(desk))
    stream = live.changes(seen.format(run=live.run))
    await next_of(stream)
    message = await next_of(stream)
    assert message.fields["event"] == "anew"
    assert message.fields["id"] == f"{live.run}-{desk.world.events[-1].number}"


async def test_who_was_away_too_long_asks_for_the_page_anew() -> None:
    desk = Lively()
    for number in range(EVENTS_KEPT + 5):
        await desk.text(ALICE, NUMBER, str(number))
    _, stream = opened(desk, 3)
    await next_of(stream)
    assert (await next_of(stream)).fields["event"] == "anew"


async def test_a_flood_is_one_message() -> None:
    desk = Lively()
    _, stream = opened(desk, 0)
    await next_of(stream)
    await next_of(stream)
    for number in range(MOST_BEHIND + 1):
        await desk.text(ALICE, NUMBER, str(number))
    message = await next_of(stream)
    assert (message.fields["event"], message.places) == ("anew", [])


async def test_a_closed_stream_is_told_of_nothing_more() -> None:
    desk = Lively()
    _, stream = opened(desk, 0)
    await next_of(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    assert not desk.world._listeners


async def test_a_terminal_is_told_of_its_handset_alone() -> None:
    desk = lively()
    live = Live(desk, Rendering(desk))
    stream = live.events(ALICE, 0)
    first = json.loads((await anext(stream)).removeprefix(b"data: "))
    assert first == {
        "number": 1, "at": "09:30:03", "kind": "submitted", "way": "http", "other": NUMBER,
        "text": "Your parcel is here. Reply YES to have it brought today, or STOP.",
        "state": "accepted", "parts": "",
    }  # fmt: skip
    count = sum(event.handset == ALICE for event in desk.world.events)
    pieces = [await anext(stream) for _ in range(count)]
    assert pieces[-1] == b": so far\n\n"
    assert all(piece.startswith(b"data: ") for piece in pieces[:-1])
    stream = live.events(BOB, desk.world.events[-1].number)
    await desk.text(ALICE, NUMBER, "not for Bob")
    await desk.text(BOB, NUMBER, "for \x1b[2JBob")
    assert json.loads((await anext(stream)).removeprefix(b"data: "))["text"] == "for [ESC][2JBob"
