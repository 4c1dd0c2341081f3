"""What changed rules would have decided about recorded messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import typer

from pipeline.cli.replay.command import since_from_text
from pipeline.cli.replay.reading import merged
from pipeline.cli.replay.states import Difference, Replay
from pipeline.records import ConsentRequest
from pipeline.stages.consent.decide import ConsentRules
from tests.support.conversation import mo
from tests.support.rented_numbers import ANN, BOB, DIRECTORY, HANDSET, NOON, NUMBERS, directory_from

ANN_LINE = f'number = "{ANN}"\n'
WITH_HALT = directory_from(NUMBERS.replace(ANN_LINE, f'{ANN_LINE}extra_stop_words = ["zapzap"]\n'))
STRICT_ANN = directory_from(NUMBERS.replace(ANN_LINE, f"{ANN_LINE}strict = true\n"))
LATER = NOON + timedelta(days=1)


def said(*texts: tuple[int, str], number: str = ANN) -> list[Any]:
    """Messages, each so many minutes after noon."""
    return [mo(text, number, at=NOON + timedelta(minutes=minutes)) for minutes, text in texts]


def order(minutes: int, action: str = "stop") -> ConsentRequest:
    return ConsentRequest(
        request_id=f"o-{minutes}",
        handset=HANDSET,
        number=ANN,
        action=action,
        actor="eve",
        reason="letter",
        requested_at=NOON + timedelta(minutes=minutes),
    )


def differences(records: list[Any], other: Any, *, since: int = -1) -> list[Difference]:
    play = Replay(
        in_force=DIRECTORY,
        other=other,
        since=NOON + timedelta(minutes=since),
        now=LATER,
        rules=ConsentRules(),
    )
    return list(play.differences(HANDSET, records))


def test_a_new_stop_word_stops_who_used_it_and_names_the_message() -> None:
    [found] = differences(said((0, "hello"), (1, "Zapzap!")), WITH_HALT)
    assert (found.handset, found.scope_kind, found.scope) == (HANDSET, "number", ANN)
    assert (found.before.ours, found.after.ours, found.after.gateway) == (
        "open",
        "stopped",
        "stopped",
    )
    assert found.after.message_id == "Zapzap!@120100"


SAME = [
    ("nobody used it", said((0, "hello"), (1, "STOP")), WITH_HALT, -1),
    ("re-enabled since", said((0, "zapzap"), (1, "hello")), WITH_HALT, -1),
    ("before the rules count", said((0, "zapzap")), WITH_HALT, 1),
    ("stopped before already", said((0, "STOP"), (2, "zapzap, the end")), WITH_HALT, 1),
    ("at another number", said((0, "zapzap"), number=BOB), WITH_HALT, -1),
    ("the same rules", said((0, "STOP"), (1, "hello"), (2, "zapzap")), DIRECTORY, -1),
    ("nothing", [], WITH_HALT, -1),
]


@pytest.mark.parametrize(
    ("records", "other", "since"), [row[1:] for row in SAME], ids=[row[0] for row in SAME]
)
def test_what_comes_out_the_same_is_not_told(records: list[Any], other: Any, since: int) -> None:
    assert differences(records, other, since=since) == []


def test_what_is_older_than_the_rules_still_counts() -> None:
    [found] = differences(said((0, "STOP"), (2, "zapzap")), WITH_HALT, since=1)
    assert (found.before.ours, found.after.ours) == ("open", "stopped")
    assert found.after.message_id == "STOP@120000"


def test_strict_keeps_ours_stopped_where_words_opened_it() -> None:
    [found] = differences(said((0, "STOP"), (1, "hello")), STRICT_ANN)
    assert (found.before.ours, found.before.gateway) == ("open", "open")
    assert (found.after.ours, found.after.gateway) == ("stopped", "open")


def test_orders_are_played_too() -> None:
    records = merged(said((0, "zapzap"), (10, "x")), [order(20)])
    assert differences(records, WITH_HALT) == []
    [found] = differences(merged(said((0, "zapzap")), [order(20)]), WITH_HALT)
    assert (found.before.ours, found.after.ours, found.after.gateway) == (
        "stopped",
        "stopped",
        "stopped",
    )
    records = merged(said((0, "STOP"), (10, "zapzap")), [order(5, "open")])
    [found] = differences(records, WITH_HALT)
    assert (found.before.ours, found.after.ours) == ("open", "stopped")


def test_orders_stand_before_the_first_message_that_came_after_them() -> None:
    messages = said((0, "a"), (10, "b"))
    first, last = order(5), order(11)
    assert merged(messages, [last, first]) == [messages[0], first, messages[1], last]


def test_a_date_is_its_beginning_in_utc() -> None:
    assert since_from_text("2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert since_from_text("2026-03-01T02:00+02:00") == datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(typer.BadParameter):
        since_from_text("2026-03-01T02:00")
