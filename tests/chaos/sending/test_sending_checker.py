"""The checker finds planted faults: a doubled arrival, a wrong order, an MT after a STOP."""

from __future__ import annotations

import itertools
import math
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.chaos.checker import Entry
from tests.chaos.sending.checker import KINDS, PERMIT_SECONDS, Arrival, Records, check
from tests.chaos.sending.driver import Log, Stop, conversations
from tests.chaos.sending.gateway.till import Message, Till

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANN, HTTP, SMPP = "447800000001", "447700900101", "447700900104"
BEGIN = 1_800_000_000.0


class World:
    """The records that a run leaves, made by hand. Times are seconds after its beginning."""

    def __init__(self) -> None:
        self.commands: list[Entry] = []
        self.states: list[Entry] = []
        self.arrivals: list[Arrival] = []
        self.log = Log()
        self._offsets = itertools.count()

    def command(self, name: str, *, sender_id: str = HTTP, purpose: str = "reply") -> None:
        record = SimpleNamespace(
            command_id=name,
            request_id=f"r-{name}",
            handset=ANN,
            sender_id=sender_id,
            purpose=purpose,
            text=f"the text of {name}",
        )
        self.commands.append(Entry(0, next(self._offsets), 0, record))
        self.log.asked[record.request_id] = record.text

    def say(self, name: str, state: str, at: float = 0.0, *, looked: float | None = None) -> None:
        when = datetime.fromtimestamp(BEGIN + (at if looked is None else looked), UTC)
        record = SimpleNamespace(command_id=name, state=state, consent_asked_at=when)
        place = next(self._offsets)
        self.states.append(Entry(0, place, int((BEGIN + at) * 1000), record))

    def arrive(self, name: str, at: float, fate: str = "taken", **given: object) -> None:
        fields = {
            "at": BEGIN + at,
            "fate": fate,
            "way": "http",
            "handset": ANN,
            "sender_id": HTTP,
            "text": f"the text of {name}",
            "command_id": name,
        }
        self.arrivals.append(Arrival(**fields | given))  # type: ignore[arg-type]

    def send(self, name: str, at: float, *, ends: str = "submitted", **given: object) -> None:
        """A command that was requested, permitted, received and reported."""
        self.command(name, sender_id=str(given.get("sender_id", HTTP)))
        self.say(name, "permitted", at)
        self.arrive(name, at + 0.5, **given)
        self.say(name, ends, at + 1.0)

    def stop(self, since: float, until: float = math.inf) -> None:
        self.log.stops.append(Stop(ANN, HTTP, BEGIN + since, BEGIN + until))

    def found(self, seen: dict[str, dict[str, str]] | None = None) -> dict[str, int]:
        records = Records.from_entries(self.commands, self.states)
        findings = check(records, self.arrivals, self.log, seen or {})
        return {kind: findings.counts[kind] for kind in KINDS if findings.counts[kind]}


@pytest.fixture
def world() -> World:
    """A run without a fault; it has every case that is allowed."""
    world = World()
    world.send("a", 10.0)
    world.send("b", 20.0, ends="delivered")
    world.stop(25.0, until=26.0)
    world.send("c", 30.0, fate="lost")
    world.command("d")  # refused by a STOP while it waited
    world.say("d", "refused", 31.0)
    world.command("e")  # throttled, and taken at the second attempt
    world.say("e", "permitted", 40.0)
    world.arrive("e", 40.5, "throttled")
    world.say("e", "waiting", 41.0)
    world.say("e", "permitted", 46.0)
    world.arrive("e", 46.5)
    world.say("e", "submitted", 47.0)
    world.command("f")  # without an answer: those behind it pass
    world.say("f", "permitted", 50.0)
    world.say("f", "unknown", 51.0)
    world.send("g", 52.0)
    world.arrive("f", 53.0)
    world.command("i")  # refused for good, and nobody heard it
    world.say("i", "permitted", 54.0)
    world.arrive("i", 54.5, "refused")
    world.say("i", "unknown", 55.0)
    world.say("i", "permitted", 58.0)
    world.arrive("i", 58.5)
    world.say("i", "submitted", 59.0)
    world.command("h", sender_id=SMPP)  # by SMPP, of two parts, the second refused for good
    world.say("h", "permitted", 60.0)
    parts = {"command_id": "", "sender_id": SMPP, "parts": 2}
    world.arrive("h", 60.5, text="the text", part=1, **parts)
    world.arrive("h", 60.6, "refused", text=" of h", part=2, **parts)
    world.say("h", "failed", 61.0)
    return world


def test_nothing_is_found_where_nothing_is_amiss(world: World) -> None:
    assert world.found() == {}


def late_after_a_stop(world: World) -> None:
    world.command("x")
    world.say("x", "permitted", 70.0)
    world.stop(75.0)
    world.arrive("x", 70.0 + PERMIT_SECONDS + 2.0)
    world.say("x", "submitted", 90.0)


def permitted_after_a_stop(world: World) -> None:
    world.stop(70.0)
    world.send("x", 70.1)


def permitted_by_a_look_that_is_old(world: World) -> None:
    world.command("x")
    world.stop(75.0)
    world.say("x", "permitted", 85.0, looked=70.0)
    world.arrive("x", 85.1)
    world.say("x", "submitted", 90.0)


def out_of_order(world: World) -> None:
    for name in ("x", "y"):
        world.command(name)
        world.say(name, "permitted", 70.0)
    world.arrive("y", 71.0)
    world.arrive("x", 72.0)
    for name in ("x", "y"):
        world.say(name, "submitted", 73.0)


def never_asked_for(world: World) -> None:
    world.command("x")
    world.log.asked.pop("r-x")
    world.say("x", "refused")


def with_another_text(world: World) -> None:
    world.send("x", 70.0, text="another text")


def to_another_handset(world: World) -> None:
    world.send("x", 70.0, handset="447800000002")


def without_a_permit(world: World) -> None:
    world.command("x")
    world.arrive("x", 70.0)
    world.say("x", "submitted", 71.0)


def still(state: str) -> Callable[[World], None]:
    def plant(world: World) -> None:
        world.command("x")
        if state:
            world.say("x", state, 70.0)

    return plant


def again(name: str, at: float, **given: object) -> Callable[[World], None]:
    return lambda world: world.arrive(name, at, **given)  # type: ignore[arg-type]


def a_part_twice(world: World) -> None:
    given = {"command_id": "", "sender_id": SMPP, "parts": 2, "part": 1, "text": "the text"}
    world.arrive("h", 65.0, **given)  # and after the other was refused for good


def a_text_by_smpp_twice(world: World) -> None:
    world.send("x", 70.0, command_id="", sender_id=SMPP)
    world.arrive("x", 75.0, command_id="", sender_id=SMPP)


def after_it_was_refused_for_good(world: World) -> None:
    world.send("x", 70.0, fate="refused", ends="failed")
    world.arrive("x", 80.0, "throttled")


PLANTED = [
    ("a doubled arrival", again("g", 99.0), {"doubled": 1}),
    ("a doubled arrival after a lost answer", again("c", 39.0), {"doubled": 1}),
    ("a part twice", a_part_twice, {"doubled": 2}),
    ("a text by SMPP twice", a_text_by_smpp_twice, {"doubled": 1}),
    ("another attempt after a refusal", after_it_was_refused_for_good, {"doubled": 1}),
    ("a wrong order", out_of_order, {"out of order": 1}),
    ("an arrival late after a STOP", late_after_a_stop, {"sent after a stop": 1}),
    ("a permit after a STOP", permitted_after_a_stop, {"sent after a stop": 1}),
    ("a permit by an old look", permitted_by_a_look_that_is_old, {"sent after a stop": 1}),
    ("waiting for ever", still("waiting"), {"not ended": 1}),
    ("permitted for ever", still("permitted"), {"not ended": 1}),
    ("a command that nobody spoke of", still(""), {"not ended": 1}),
    (
        "failed though it arrived",
        lambda world: world.send("x", 70.0, ends="failed"),
        {"arrived and said to have failed": 1},
    ),
    (
        "refused though it arrived without an answer",
        lambda world: world.send("x", 70.0, fate="lost", ends="refused"),
        {"arrived and said to have failed": 1},
    ),
    (
        "submitted though it never arrived",
        still("submitted"),
        {"not arrived and said to be taken": 1},
    ),
    (
        "submitted though it was throttled",
        lambda world: world.send("x", 70.0, fate="throttled"),
        {"not arrived and said to be taken": 1},
    ),
    (
        "delivered though a part is missing",
        lambda world: world.say("h", "delivered", 70.0),
        {"not arrived and said to be taken": 1},
    ),
    ("another text", with_another_text, {"wrong": 1}),
    ("another handset", to_another_handset, {"wrong": 1}),
    ("an arrival without a permit", without_a_permit, {"wrong": 1}),
    ("an arrival of nothing", again("nobody", 70.0), {"wrong": 1}),
    ("a command that nobody asked for", never_asked_for, {"wrong": 1}),
]


@pytest.mark.parametrize(
    ("plant", "found"), [pytest.param(plant, found, id=words) for words, plant, found in PLANTED]
)
def test_what_is_amiss_is_found_and_nothing_else(
    world: World, plant: Callable[[World], None], found: dict[str, int]
) -> None:
    plant(world)
    assert world.found() == found


@pytest.mark.parametrize("change", [{"a": "failed"}, {"b": "submitted"}, {"f": ""}])
def test_whoever_says_another_state_is_found(world: World, change: dict[str, str]) -> None:
    records = Records.from_entries(world.commands, world.states)
    states = {command_id: records.last(command_id) for command_id in records.states}
    assert world.found({"mt_now": states}) == {}
    assert world.found({"mt_now": states | change}) == {"states that differ": 1}
    states.pop("c")
    assert world.found({"mt_now": states}) == {"states that differ": 1}


def test_the_gateway_gives_the_same_fates_for_the_same_seed_and_each_as_often_as_planned(
    tmp_path: Path,
) -> None:
    def fates(seed: int) -> list[str]:
        told: list[Message] = []
        till = Till(tmp_path / f"{seed}.jsonl", seed=seed, told=lambda m, _: told.append(m))
        found = [till.receive(message_of(number)).name for number in range(5_000)]
        till.close()
        assert len(told) == found.count("taken") + found.count("lost")
        return found

    first = fates(1)
    assert first == fates(1)
    assert first != fates(2)
    for name, percent in (("lost", 5), ("throttled", 5), ("refused", 2)):
        assert first.count(name) == pytest.approx(50 * percent, rel=0.25)


def test_the_gateway_takes_a_second_attempt_and_knows_what_it_took(tmp_path: Path) -> None:
    till = Till(tmp_path / "log.jsonl", seed=1, told=lambda *_: None)
    for number in range(500):
        message = message_of(number)
        is_known = till.receive(message).is_taken
        assert bool(till.id_of(message.command_id)) == is_known
        assert till.receive(message).is_taken
        assert till.id_of(message.command_id)
    till.close()


def message_of(number: int) -> Message:
    return Message(way="http", handset=ANN, sender_id=HTTP, text="t", command_id=f"{number:032d}")


def test_every_way_has_its_share_of_the_conversations() -> None:
    planned = list(conversations(3_000, seed=1))
    numbers = [conversation.number for conversation in planned]
    assert len(set(numbers)) == 6
    assert max(map(numbers.count, set(numbers))) - min(map(numbers.count, set(numbers))) <= 1
    assert len({conversation.handset for conversation in planned}) == len(planned)
