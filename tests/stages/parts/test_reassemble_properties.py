"""For every order, time and reference: no part is lost or doubled, and a replay gives the same."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.assembling import SPREAD, TIMEOUT, Box, piece
from tests.support.mo import NOON, Seen, callback, normalised, timestamp

texts = st.text(min_size=1, max_size=60)


def _cut(octets: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % len(octets) for cut in cuts} - {0}), len(octets)]
    return [octets[a:b] for a, b in pairwise(edges)]


@given(texts, st.lists(st.integers(1, 500), max_size=6), st.integers(0, 255), st.data())
def test_a_text_cut_anywhere_comes_whole_and_once_in_any_order_and_number(text, cuts, ref, data):
    pieces = _cut(text.encode("utf-16-be"), cuts)
    callbacks = [
        callback(
            octets,
            charset="UTF-16BE",
            udh=bytes((5, 0, 3, ref, len(pieces), number)).hex(),
            timestamp=timestamp(NOON),
            mo_msg_id=f"m{number}",
        )
        for number, octets in enumerate(pieces, 1)
    ]
    repeats = data.draw(st.lists(st.sampled_from(callbacks), max_size=5))
    arrivals = data.draw(st.permutations(callbacks + repeats))
    seen, box = Seen(), Box()
    messages = []
    for seconds, arrival in enumerate(arrivals):
        part = seen.accept(normalised(arrival, received_at=NOON + timedelta(seconds=seconds)))
        messages += box.take(part) if part else []
    assert [(m.text, m.complete, m.lossy) for m in messages] == [(text, True, False)]
    assert messages[0].mo_msg_ids == [f"m{number}" for number in range(1, len(pieces) + 1)]
    assert box.rows == {}


pieces = st.fixed_dictionaries(
    {
        "of": st.integers(1, 4),
        "number": st.integers(1, 4),
        "reference": st.integers(0, 1),
        "wide": st.booleans(),
        "sent": st.integers(-90, 90).map(lambda minutes: timedelta(minutes=minutes)),
        "handset": st.sampled_from(["27821234567", "27820000000"]),
    }
).map(lambda fields: fields | {"number": (fields["number"] - 1) % fields["of"] + 1})
steps = st.lists(st.tuples(pieces, st.integers(0, 30)), max_size=25)


def _run(given_steps):
    """Each part is received some hours after the part before; the clock ticks between."""
    box, at, parts, messages = Box(), timedelta(hours=2), [], []
    for count, (fields, hours) in enumerate(given_steps):
        at += timedelta(hours=hours)
        if hours % 2:
            messages += box.tick(NOON + at)
        rest = {name: value for name, value in fields.items() if name != "number"}
        part = piece(fields["number"], f"{count}", received=at, **rest)
        parts.append(part)
        messages += box.take(part)
    return box, parts, messages


@settings(max_examples=300)
@given(steps)
def test_every_part_is_in_exactly_one_message_or_still_waits(given_steps):
    box, parts, messages = _run(given_steps)
    placed = [part_id for message in messages for part_id in message.part_ids] + box.open_parts()
    assert Counter(placed) == Counter(part.part_id for part in parts)
    assert len({message.message_id for message in messages}) == len(messages)
    last = max((part.received_at for part in parts), default=NOON)
    messages += box.tick(last + TIMEOUT)
    assert box.open_parts() == []
    placed = [part_id for message in messages for part_id in message.part_ids]
    assert Counter(placed) == Counter(part.part_id for part in parts)
    box.tick(last + 400 * TIMEOUT)
    assert box.rows == {}


@settings(max_examples=300)
@given(steps)
def test_a_message_holds_parts_of_one_message_only(given_steps):
    _, parts, messages = _run(given_steps)
    by_id = {part.part_id: part for part in parts}
    for message in messages:
        own = [by_id[part_id] for part_id in message.part_ids]
        keys = {(p.handset, p.number, p.reference_bits, p.reference, p.parts_total) for p in own}
        assert len(keys) == 1
        numbers = [part.part_number for part in own]
        assert numbers == sorted(set(numbers))
        assert sorted(numbers + message.parts_missing) == list(range(1, message.parts_total + 1))
        assert message.complete == (not message.parts_missing)
        times = [part.gateway_time.replace(microsecond=0) for part in own]
        assert max(times) - min(times) <= SPREAD
        assert message.gateway_time == min(part.gateway_time for part in own)
        assert message.octets == b"".join(part.octets for part in own)


@given(steps)
def test_a_replay_gives_the_same(given_steps):
    first, second = _run(given_steps), _run(given_steps)
    assert first[2] == second[2]
    assert first[0].rows == second[0].rows
