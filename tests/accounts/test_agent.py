"""What messages cost, played through the worker's agent and the agent `accounts`, without Kafka."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import Clock
from pipeline.stages.account.row import BOOKED_KEPT
from tests.support.accounting import NOON, SHOP, Accounting, toml_of

ANN = "447900000001"
BOB = "447900000002"
THIRD = 1_000_000


def kinds(world: Accounting, account: str = "main") -> list[tuple[str, int, int]]:
    """Kind, amount and balance of each entry."""
    return [(each.kind, each.units, each.balance) for each in world.entries(account)]


def letters(world: Accounting) -> list[tuple[str, str, str]]:
    return [(each.stage, each.reason, each.words) for each in world.records(topics.DEAD_LETTER)]


# Hold


def test_a_message_waits_until_it_is_paid() -> None:
    """Messages will only be released when payment has been received for them (G9)."""
    world = Accounting()
    world.receive("hello", handset=ANN)
    world.settle()
    assert world.published() == []
    (charge,) = world.records(topics.ACCOUNT_CHARGE)
    assert (charge.kind, charge.units, charge.parts, charge.is_held) == ("mo", THIRD, 1, True)
    assert world.entries("main") == []
    world.credit("main", THIRD)
    world.settle()
    assert world.published() == ["hello"]
    assert kinds(world) == [("credit", THIRD, THIRD), ("mo", -THIRD, 0)]


def test_a_message_that_is_covered_is_published_at_once() -> None:
    world = Accounting()
    world.credit("main", 2 * THIRD)
    world.receive("hello", handset=ANN)
    world.settle()
    assert world.published() == ["hello"]
    (message,) = world.records(topics.MO_MESSAGE)
    (release,) = world.records(topics.ACCOUNT_RELEASE)
    (_, entry) = world.entries("main")
    assert release.charge_id == entry.reference == message.message_id
    assert release.entry_id == entry.entry_id
    assert sum(box.rows("held") + box.rows("held_ids") for box in world.boxes) == 0


def test_a_cheap_message_does_not_overtake_one_that_is_not_covered() -> None:
    """First in, first out per account."""
    world = Accounting(toml_of(more='mo_price = "1/3"\n'))
    world.receive("one", handset=ANN, udh="050003010201")
    world.receive("two", handset=ANN, udh="050003010202")
    world.settle()
    world.receive("cheap", handset=BOB)
    world.settle()
    world.credit("main", THIRD)
    world.settle()
    assert world.published() == []  # the one of two parts is first, and costs two thirds
    world.credit("main", THIRD)
    world.settle()
    assert world.published() == ["onetwo"]
    world.credit("main", THIRD)
    world.settle()
    assert world.published() == ["onetwo", "cheap"]


def test_accounts_do_not_wait_for_each_other() -> None:
    world = Accounting()
    world.receive("main", handset=ANN)
    world.receive("shop", handset=ANN, number=SHOP)
    world.credit("shop", THIRD)
    world.settle()
    assert world.published() == ["shop"]


def test_a_stop_counts_whether_it_is_paid_or_not() -> None:
    """In doubt a stop counts: consent reads every whole message as it arrives."""
    world = Accounting()
    world.receive("STOP", handset=ANN)
    world.settle()
    (change,) = world.records(topics.CONSENT_CHANGE)
    assert (change.handset, change.gateway_state) == (ANN, "confirmation-due")
    assert world.published() == []


def test_a_message_for_review_is_named_by_its_charge_while_it_is_held() -> None:
    world = Accounting()
    world.receive("please do not cancel", handset=ANN)
    world.settle()
    (charge,) = world.records(topics.ACCOUNT_CHARGE)
    (part,) = world.records(topics.MO_PART)
    assert "review" in charge.flags
    assert charge.part_ids == [part.part_id]


def test_no_record_of_the_ledger_has_the_handset() -> None:
    world = Accounting(toml_of(more="notify_below = 1\n"))
    world.receive("hello", handset=ANN)
    world.credit("main", THIRD)
    world.settle()
    for topic in (
        topics.ACCOUNT_CHARGE,
        topics.ACCOUNT_ENTRY,
        topics.ACCOUNT_RELEASE,
        topics.ACCOUNT_CREDIT,
        topics.ACCOUNT_NOTICE,
    ):
        assert world.octets[topic]
        assert not any(ANN.encode() in key + value for _, key, value in world.octets[topic])


def test_many_are_released_in_units_of_few() -> None:
    world = Accounting(partitions=1)
    for at in range(9_000):
        world.charge(
            charge_id=f"m{at}", kind="mo", units=THIRD, is_held=True, account="main", home=0
        )
    world.settle()
    world.credit("main", 8_500 * THIRD)
    (ledger,) = world.ledgers
    units = 0
    while ledger.taken < len(ledger.log):
        before = len(world.records(topics.ACCOUNT_RELEASE))
        world.work(ledger)
        units += 1
        assert len(world.records(topics.ACCOUNT_RELEASE)) - before <= 4_000
    assert units == 3
    released = [each.charge_id for each in world.records(topics.ACCOUNT_RELEASE)]
    assert released == [f"m{at}" for at in range(8_500)]
    assert ledger.rows("waiting") == 500
    assert kinds(world)[-1] == ("mo", -THIRD, 0)


# Book and off


def test_in_book_nothing_is_held() -> None:
    world = Accounting(toml_of(main="book"))
    world.receive("hello", handset=ANN)
    world.settle()
    assert world.published() == ["hello"]
    assert kinds(world) == [("mo", -THIRD, -THIRD)]
    assert world.records(topics.ACCOUNT_RELEASE) == []


def test_off_writes_nothing() -> None:
    world = Accounting(toml_of(main="off", shop="off"))
    world.receive("hello", handset=ANN)
    world.receive("STOP", handset=BOB)
    world.settle()
    assert sorted(world.published()) == ["STOP", "hello"]
    assert world.records(topics.ACCOUNT_CHARGE) == []


# Modes that change


@pytest.mark.parametrize("mode", ["off", "book"])
def test_all_that_is_held_is_released_in_order_once_nothing_is_held_any_more(mode: str) -> None:
    world = Accounting()
    for at in range(6):
        world.receive(f"m{at}", handset=(ANN, BOB)[at % 2])
    world.settle()
    world.load(toml_of(main=mode))
    world.settle()
    assert world.published(ANN) == ["m0", "m2", "m4"]
    assert world.published(BOB) == ["m1", "m3", "m5"]
    assert kinds(world)[-1] == ("mo", -THIRD, -6 * THIRD)


@pytest.mark.parametrize("mode", ["off", "book"])
def test_a_message_that_comes_as_the_mode_changes_stays_behind_the_ones_before(mode: str) -> None:
    world = Accounting(partitions=1)
    world.receive("first", handset=ANN)
    world.settle()
    world.load(toml_of(main=mode))
    world.receive("second", handset=ANN)
    world.receive("other", handset=BOB)
    (box,), (ledger,) = world.boxes, world.ledgers
    world.work(box)  # knows the new mode; the first is not released yet
    assert world.published() == ["other"]
    world.work(ledger)
    world.settle()
    assert world.published(ANN) == ["first", "second"]
    charged = {each.reference: each.units for each in world.entries("main")}
    assert sum(charged.values()) == (-THIRD if mode == "off" else -3 * THIRD)


def test_hold_may_be_turned_on_while_charges_are_under_way() -> None:
    world = Accounting(toml_of(main="book"), partitions=1)
    world.receive("booked", handset=ANN)
    world.load(toml_of(main="hold"))
    world.receive("held", handset=ANN)
    world.settle()
    assert world.published() == ["booked"]
    world.credit("main", 2 * THIRD)
    world.settle()
    assert world.published() == ["booked", "held"]


# What is charged again


def test_a_charge_again_counts_once() -> None:
    world = Accounting()
    world.credit("main", 2 * THIRD)
    world.receive("hello", handset=ANN)
    world.settle()
    (charge,) = world.records(topics.ACCOUNT_CHARGE)
    world.publish(topics.ACCOUNT_CHARGE, "main", charge)
    world.settle()
    assert kinds(world) == [("credit", 2 * THIRD, 2 * THIRD), ("mo", -THIRD, THIRD)]
    assert len(world.records(topics.ACCOUNT_RELEASE)) == 1


def test_a_charge_again_counts_once_while_it_waits() -> None:
    world = Accounting()
    world.receive("hello", handset=ANN)
    world.settle()
    (charge,) = world.records(topics.ACCOUNT_CHARGE)
    world.publish(topics.ACCOUNT_CHARGE, "main", charge)
    world.credit("main", 5 * THIRD)
    world.settle()
    assert [kind for kind, _, _ in kinds(world)] == ["credit", "mo"]
    assert world.published() == ["hello"]


def test_a_release_again_publishes_once() -> None:
    world = Accounting()
    world.credit("main", THIRD)
    world.receive("hello", handset=ANN)
    world.settle()
    ((partition, release),) = world.written[topics.ACCOUNT_RELEASE]
    world.append(topics.ACCOUNT_RELEASE, partition, b"", single_object.encode(release))
    world.settle()
    assert world.published() == ["hello"]


def test_what_was_charged_is_forgotten_once_nothing_more_is_said_of_it() -> None:
    world = Accounting(toml_of(main="book"), partitions=1)
    world.receive("hello", handset=ANN)
    world.settle()
    (ledger,) = world.ledgers
    assert ledger.rows("booked") == 1
    world.now = NOON + BOOKED_KEPT * 2
    world.append(topics.CLOCK, 0, b"", single_object.encode(Clock(time=world.now, origin="worker")))
    world.settle()
    assert ledger.rows("booked") == 0


# MT


def test_an_mt_is_booked_by_its_price_and_corrected_by_the_gateways_charge() -> None:
    world = Accounting()
    world.charge(charge_id="c1", units=4_800_000, parts=2)
    world.charge(charge_id="c1", units=4_800_000, parts=2)
    world.charge(charge_id="c1", units=900_000, parts=2, is_stated=True)
    world.charge(charge_id="c1", units=900_000, parts=2, is_stated=True)
    world.charge(charge_id="c1", units=4_800_000, parts=2)  # delivered, and no charge stated
    world.settle()
    assert kinds(world) == [
        ("mt", -4_800_000, -4_800_000),
        ("mt-correction", 3_900_000, -900_000),
    ]


def test_an_mt_is_known_for_as_long_as_the_worker_speaks_of_it() -> None:
    """Each late status keeps the command for another week, and repeats its charge."""
    world = Accounting(partitions=1)
    for days in (0, 6, 12, 18):
        world.now = NOON + timedelta(days=days)
        clock = single_object.encode(Clock(time=world.now, origin="worker"))
        world.append(topics.CLOCK, 0, b"", clock)
        world.charge(charge_id="c1")
        world.settle()
    assert kinds(world) == [("mt", -2_400_000, -2_400_000)]


def test_a_correction_may_cover_what_waits() -> None:
    world = Accounting()
    world.credit("main", 2_400_000)
    world.charge(charge_id="c1", units=2_400_000)
    world.receive("hello", handset=ANN)
    world.settle()
    assert world.published() == []
    world.charge(charge_id="c1", units=THIRD, is_stated=True)
    world.settle()
    assert world.published() == ["hello"]


# Notices


def test_there_is_one_notice_for_each_crossing() -> None:
    """A notice when the balance goes below a user-defined number of credits (G9)."""
    world = Accounting(toml_of(main="book", more='notify_below = "2/3"\n'))
    world.credit("main", 3 * THIRD)
    for _ in range(4):
        world.charge(units=THIRD)
    world.settle()
    (notice,) = world.records(topics.ACCOUNT_NOTICE)
    assert (notice.account, notice.balance, notice.notify_below) == ("main", THIRD, 2 * THIRD)
    assert notice.sequence == 3
    world.credit("main", 3 * THIRD)  # 2/3 and above: armed again
    world.charge(units=2 * THIRD)
    world.settle()
    assert [each.balance for each in world.records(topics.ACCOUNT_NOTICE)] == [THIRD, 0]


# Bad input


def test_a_credit_twice_with_one_id_counts_once() -> None:
    world = Accounting()
    world.credit("main", THIRD, credit_id="invoice-1")
    world.credit("main", THIRD, credit_id="invoice-1")
    world.settle()
    assert kinds(world) == [("credit", THIRD, THIRD)]
    assert letters(world) == []
    world.credit("main", 2 * THIRD, credit_id="invoice-1")
    world.settle()
    assert kinds(world) == [("credit", THIRD, THIRD)]
    assert letters(world) == [("accounts", "wrong-order", "its id was used before")]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"units": 0}, "its amount must be above 0 and at most 1,000,000,000 credits"),
        ({"units": -1}, "its amount must be above 0"),
        ({"units": 3 * 10**15 + 1}, "at most 1,000,000,000 credits"),
        ({"kind": "correction", "units": 0}, "its amount must be at most"),
        ({"kind": "correction", "units": -1}, "the account has 0 credits: it would be overdrawn"),
        ({"kind": "gift"}, "its kind is none of credit, correction"),
        ({"account": "mian"}, "there is no such account in numbers.toml"),
        ({"actor": " "}, "it does not say who orders it and why"),
        ({"reason": ""}, "it does not say who orders it and why"),
        ({"credit_id": "x" * 65}, "its id must have 1 to 64 characters"),
        ({"reason": "x" * 2_000}, "its words are longer than 1000 characters"),
    ],
)
def test_a_credit_that_cannot_be_is_refused_with_words(fields: dict, words: str) -> None:
    world = Accounting()
    world.credit(**{"account": "main", "units": THIRD} | fields)
    world.settle()
    assert world.records(topics.ACCOUNT_ENTRY) == []
    ((stage, reason, said),) = letters(world)
    assert (stage, reason) == ("accounts", "wrong-order")
    assert words in said


def test_credits_without_end_do_not_overflow_a_long() -> None:
    world = Accounting(partitions=1)
    for _ in range(1_600):
        world.credit("main", 3 * 10**15)
    world.settle()
    balances = [each.balance for each in world.entries("main")]
    assert max(balances) <= 2**62
    assert len(letters(world)) == 1_600 - len(balances) > 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"charge_id": ""}, "its id must have 1 to 64 characters"),
        ({"account": ""}, "its account is no name"),
        ({"account": "a\0b"}, "its account is no name"),
        ({"kind": "fee"}, "its kind is none of mo, mt, gateway-confirmation"),
        ({"units": -1}, "its amount is not between 0 and 1,000,000,000 credits"),
        ({"units": 2**63 - 1}, "its amount is not between 0 and"),
        ({"parts": -1}, "its parts or its number are absurd"),
        ({"number": "4" * 65}, "its parts or its number are absurd"),
        ({"is_held": True}, "an MT is never held"),
        ({"kind": "mo", "is_stated": True}, "the gateway states the charge of an MT alone"),
        ({"kind": "mo", "is_held": True, "home": 2}, "there is no partition of its home"),
        ({"kind": "mo", "is_held": True, "home": -1}, "there is no partition of its home"),
    ],
)
def test_a_charge_that_cannot_be_is_refused_with_words(fields: dict, words: str) -> None:
    world = Accounting()
    world.charge(**fields)
    world.receive("hello", handset=ANN)
    world.credit("main", THIRD)
    world.settle()
    ((stage, reason, said),) = letters(world)
    assert (stage, reason) == ("accounts", "wrong-order")
    assert words in said
    assert world.published() == ["hello"]


@pytest.mark.parametrize("topic", [topics.ACCOUNT_CHARGE, topics.ACCOUNT_CREDIT])
@pytest.mark.parametrize("octets", [b"", b"\xc3\x01", b"\xff" * 40, b"\xc3\x01" + b"\0" * 200])
def test_junk_never_stops_the_agent(topic: str, octets: bytes) -> None:
    world = Accounting(partitions=1)
    for _ in range(12):
        world.append(topic, 0, b"main", octets)
    world.receive("hello", handset=ANN)
    world.credit("main", THIRD)
    world.settle()
    assert [reason for _, reason, _ in letters(world)] == ["unreadable-record"] * 12
    assert world.published() == ["hello"]


def test_an_id_of_another_charge_is_refused() -> None:
    world = Accounting()
    world.charge(charge_id="c1", kind="mo", units=THIRD, is_held=True, home=0)
    world.charge(charge_id="c1", kind="mt", units=0, is_stated=True)
    world.settle()
    assert [words for _, _, words in letters(world)] == ["its id is of another charge"]


@pytest.mark.parametrize("topic", [topics.ACCOUNT_CHARGE, topics.ACCOUNT_CREDIT])
def test_what_came_by_another_partition_is_sent_on(topic: str) -> None:
    world = Accounting()
    home = topics.partition_of(b"main", 2)
    world.credit("main", 5 * THIRD)
    world.charge(charge_id="c1", units=THIRD)
    (partition, key, value) = world.octets[topic][0]
    again = single_object.decode(value)
    world.append(topic, 1 - partition, key, value)
    world.settle()
    assert partition == home
    assert [each for at, each in world.written[topic] if at == home] == [again, again]
    assert kinds(world) == [("credit", 5 * THIRD, 5 * THIRD), ("mt", -THIRD, 4 * THIRD)]
