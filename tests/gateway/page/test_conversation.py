"""Events become the bubbles of a phone."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.gateway.page.conversation import (
    MOST_BUBBLES,
    MT,
    NOTE,
    Bubble,
    conversation_from_events,
)
from pipeline.gateway.world import EventKind
from tests.gateway.page.lively import ALICE, BOB, NUMBER, Lively, lively


def bubbles_after(*kinds: tuple[EventKind, dict[str, Any]]) -> list[Bubble]:
    desk = Lively()
    for kind, fields in kinds:
        desk.happen(kind, ALICE, **{"message_id": "m1", "sender_id": NUMBER} | fields)
    return conversation_from_events(desk.world.events, ALICE)


SUBMITTED = (EventKind.SUBMITTED, {"text": "Hello", "way": "http"})
SHOWN = (EventKind.SHOWN, {"text": "Hello"})
TEXTED = (EventKind.TEXTED, {"text": "Yes"})


def status(code: str) -> tuple[EventKind, dict[str, Any]]:
    return (EventKind.STATUS, {"facts": {"status": code}})


@pytest.mark.parametrize(
    ("events", "words", "tone", "is_shown"),
    [
        pytest.param([SUBMITTED], "accepted", "waits", False, id="taken"),
        pytest.param([SUBMITTED, SHOWN], "on the screen", "good", True, id="shown"),
        pytest.param([SUBMITTED, SHOWN, status("004")], "delivered · 004", "good", True, id="004"),
        pytest.param([SUBMITTED, status("003")], "at the network · 003", "waits", False, id="003"),
        pytest.param([SUBMITTED, status("007")], "not delivered · 007", "bad", False, id="007"),
        pytest.param([SUBMITTED, status("7")], "not delivered · 007", "bad", False, id="digits"),
        pytest.param([SUBMITTED, status("999")], "status · 999", "waits", False, id="unknown"),
        pytest.param([SHOWN], "on the screen", "good", True, id="of an MT never seen"),
        pytest.param(
            [(EventKind.REFUSED, {"facts": {"code": "114"}, "text": "Hello"})],
            "refused · 114 Cannot route message", "bad", False, id="refused",
        ),
        pytest.param([TEXTED], "on its way", "waits", True, id="an MO"),
        pytest.param(
            [TEXTED, (EventKind.HANDED_OVER, {"way": "xml", "facts": {"answer": "200"}})],
            "taken by XML", "good", True, id="handed over",
        ),
        pytest.param(
            [
                TEXTED,
                (EventKind.HANDED_OVER, {"way": "http", "facts": {"answer": 503, "attempt": 2}}),
            ],
            "not taken: 503 by HTTP, attempt 2", "bad", True, id="not taken",
        ),
        pytest.param(
            [TEXTED, (EventKind.HANDED_OVER, {"way": "http", "facts": {}})],
            "not taken: no answer by HTTP", "bad", True, id="no answer",
        ),
    ],
)  # fmt: skip
def test_a_bubble_has_the_latest_state(
    events: list[tuple[EventKind, dict[str, Any]]], words: str, tone: str, *, is_shown: bool
) -> None:
    (bubble,) = bubbles_after(*events)
    assert bubble.state == (words, tone)
    assert bubble.is_shown is is_shown
    assert bubble.latest == len(events)


def test_what_the_handset_shows_wins_over_what_was_submitted() -> None:
    (bubble,) = bubbles_after(SUBMITTED, (EventKind.SHOWN, {"text": "Hell", "sender_id": "88802"}))
    assert (bubble.side, bubble.text, bubble.other) == (MT, "Hell", "88802")


def test_a_status_without_its_message_makes_no_bubble() -> None:
    assert bubbles_after(status("004")) == []


def test_a_message_is_of_one_phone_and_in_order() -> None:
    desk = lively()
    alice = conversation_from_events(desk.world.events, ALICE)
    bob = conversation_from_events(desk.world.events, BOB)
    assert alice[1].text.startswith("Yes please")
    assert not {bubble.number for bubble in alice} & {bubble.number for bubble in bob}
    assert [b.number for b in bob] == sorted(b.number for b in bob)
    assert [b.text for b in alice if b.side == NOTE] == ["Fault played: lose answer"]


async def test_a_phone_shows_the_latest_and_no_more() -> None:
    desk = Lively()
    for number in range(MOST_BUBBLES + 20):
        await desk.text(ALICE, NUMBER, str(number))
    shown = conversation_from_events(desk.world.events, ALICE)
    assert [bubble.text for bubble in shown] == [str(n) for n in range(20, MOST_BUBBLES + 20)]


def test_a_long_mo_says_how_many_of_its_parts_were_taken() -> None:
    texted = (EventKind.TEXTED, {"text": "Long", "facts": {"parts": 2, "ids": ["m1", "m2"]}})
    first, second = (
        (EventKind.HANDED_OVER, {"way": "http-get", "message_id": name, "facts": {"answer": 200}})
        for name in ("m1", "m2")
    )
    (bubble,) = bubbles_after(texted, first)
    assert bubble.state == ("taken by HTTP-GET · 1 of 2 parts", "waits")
    (bubble,) = bubbles_after(texted, first, second)
    assert bubble.state == ("taken by HTTP-GET", "good")
