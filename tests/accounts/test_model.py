"""At random: messages, credits, MTs, changes of mode and kills, against a plain model of a ledger.

The sum of an account's entries is its balance, its sequence has no gap, every charge is booked and
released at most once, and a handset's messages come out in the order in which they came. A replay
of the same records gives the same ledger, octet for octet, however it is cut into units of work.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.credits import UNITS_PER_CREDIT
from pipeline.kafka import topics
from tests.support.accounting import ACCOUNT_OF, NUMBER, SHOP, Accounting, toml_of

if TYPE_CHECKING:
    from tests.support.partitioned import Agent

HANDSETS = ("447900000001", "447900000002")
MODES = st.sampled_from(["off", "book", "hold", "hold"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("receive"), st.integers(0, 1), st.booleans(), st.integers(1, 3)),
        st.tuples(st.just("receive"), st.integers(0, 1), st.booleans(), st.integers(1, 3)),
        st.tuples(st.just("credit"), st.booleans(), st.integers(1, 9), st.integers(0, 6)),
        st.tuples(st.just("correct"), st.booleans(), st.integers(-9, 9)),
        st.tuples(st.just("mt"), st.integers(0, 4), st.integers(0, 4), st.booleans()),
        st.tuples(st.just("load"), MODES, MODES),
        st.tuples(st.just("settle")),
        st.tuples(st.just("settle")),
        st.tuples(st.just("work"), st.integers(0, 3), st.integers(1, 5), st.just(value=True)),
        st.tuples(st.just("work"), st.integers(0, 3), st.integers(1, 5), st.booleans()),
    ),
    min_size=10,
    max_size=60,
)


class Model:
    """What an account's ledger must come to: fractions of a credit, and lists."""

    def __init__(self, world: Accounting) -> None:
        self.world = world
        self.has_changed_mode = False

    def check_ledger(self, account: str) -> None:
        entries = self.world.entries(account)
        assert [each.sequence for each in entries] == list(range(1, len(entries) + 1))
        balance = Fraction(0)
        for entry in entries:
            balance += Fraction(entry.units, UNITS_PER_CREDIT)
            assert Fraction(entry.balance, UNITS_PER_CREDIT) == balance
        booked = Counter((each.reference, each.kind) for each in entries if "mt-" not in each.kind)
        assert max(booked.values(), default=1) == 1
        assert all(each.units for each in entries if each.kind == "mt-correction")
        self._check_queue(account)

    def _check_queue(self, account: str) -> None:
        """First in, first out; and while it holds, no message goes without cover."""
        held = [
            each.charge_id
            for each in self.world.records(topics.ACCOUNT_CHARGE)
            if each.account == account and each.is_held
        ]
        entries = self.world.entries(account)
        booked = [each for each in entries if each.kind == "mo" and each.reference in set(held)]
        assert [each.reference for each in booked] == list(dict.fromkeys(held))[: len(booked)]
        if not self.has_changed_mode:
            assert all(each.balance >= 0 for each in booked if each.units)

    def check_amounts(self, account: str) -> None:
        """What is booked of a charge is its price, or what the gateway stated last."""
        charges = [
            each for each in self.world.records(topics.ACCOUNT_CHARGE) if each.account == account
        ]
        wanted: dict[str, int] = {}
        for charge in charges:
            if charge.is_stated or charge.charge_id not in wanted:
                wanted[charge.charge_id] = charge.units
        credited: dict[str, int] = {}
        refused = {
            each.octets
            for each in self.world.records(topics.DEAD_LETTER)
            if each.topic == topics.ACCOUNT_CREDIT
        }
        for (_, credit), (_, _, value) in zip(
            self.world.written[topics.ACCOUNT_CREDIT],
            self.world.octets[topics.ACCOUNT_CREDIT],
            strict=True,
        ):
            if credit.account == account and value not in refused:
                credited.setdefault(credit.credit_id, credit.units)
        found: Counter[str] = Counter()
        for entry in self.world.entries(account):
            found[entry.reference] += entry.units
        assert {key: found[key] for key in wanted} == {key: -wanted[key] for key in wanted}
        assert {key: found[key] for key in credited} == credited
        assert set(found) == set(wanted) | set(credited)

    def check_releases(self) -> None:
        released = Counter(each.charge_id for each in self.world.records(topics.ACCOUNT_RELEASE))
        held = {
            each.charge_id for each in self.world.records(topics.ACCOUNT_CHARGE) if each.is_held
        }
        assert max(released.values(), default=1) == 1
        assert set(released) <= held

    def check_order(self) -> None:
        """Texts are numbered in the order in which they came."""
        for handset in HANDSETS:
            for number in ACCOUNT_OF:
                came = [
                    int(each.text)
                    for each in self.world.records(topics.MO_MESSAGE)
                    if (each.handset, each.number) == (handset, number)
                ]
                assert came == sorted(set(came))


class Played:
    """The world, and what was done to it."""

    def __init__(self) -> None:
        self.world = Accounting(toml_of())
        self.received = 0

    def receive(self, handset: int, is_shop: bool, parts: int) -> None:
        """A message of so many parts; its text is its number."""
        number = SHOP if is_shop else NUMBER
        for at in range(1, parts + 1):
            text = str(self.received) if at == parts else ""
            udh = f"0500030{self.received % 10}0{parts}0{at}" if parts > 1 else ""
            self.world.receive(text, handset=HANDSETS[handset], number=number, udh=udh)
        self.received += 1

    def credit(self, is_shop: bool, thirds: int, credit_id: int) -> None:
        account = "shop" if is_shop else "main"
        units = thirds * 1_000_000 + credit_id % 2  # one id comes with several amounts
        self.world.credit(account, units, credit_id=f"{account}-{credit_id}-{thirds}")

    def correct(self, is_shop: bool, thirds: int) -> None:
        account = "shop" if is_shop else "main"
        self.world.credit(account, thirds * 1_000_000, kind="correction")

    def mt(self, command: int, units: int, is_stated: bool) -> None:
        self.world.charge(
            charge_id=f"command-{command}", units=units * 500_000, is_stated=is_stated
        )

    def load(self, main: str, shop: str) -> None:
        self.world.load(toml_of(main, shop))

    def settle(self) -> None:
        self.world.settle()

    def work(self, agent: int, at_most: int, commits: bool) -> None:
        agents = [*self.world.boxes, *self.world.ledgers]
        self.world.work(agents[agent], at_most, commits=commits)


def ledger_octets(world: Accounting) -> dict[str, list[bytes]]:
    """Each account's entries and notices, and each partition's releases, as octets."""
    return {
        f"{topic}/{partition}": [value for at, _, value in world.octets[topic] if at == partition]
        for topic in (topics.ACCOUNT_ENTRY, topics.ACCOUNT_NOTICE)
        for partition in range(world.partitions)
    }


def replayed(world: Accounting, *, at_most: int) -> dict[str, list[bytes]]:
    """The same of an agent that takes the same records anew, in units of this size."""
    found: dict[str, list[bytes]] = {}
    for partition, ledger in enumerate(world.ledgers):
        anew = world.new_ledger(partition)
        anew.log = ledger.log
        written: list[tuple[str, bytes]] = []
        while anew.taken < len(anew.log):
            written += [(topic, value) for topic, _, _, value in anew.work(at_most)]
        for topic in (topics.ACCOUNT_ENTRY, topics.ACCOUNT_NOTICE):
            found[f"{topic}/{partition}"] = [value for name, value in written if name == topic]
    return found


@given(steps=STEPS, changes_mode=st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_ledger_adds_up_whatever_happens(steps: list[tuple], changes_mode: bool) -> None:
    played = Played()
    world, model = played.world, Model(played.world)
    steps = [step for step in steps if changes_mode or step[0] != "load"]
    for name, *given_ in steps:
        getattr(played, name)(*given_)
        model.check_order()
    model.has_changed_mode = any(name == "load" for name, *_ in steps)
    world.settle()
    for account in ("main", "shop"):
        model.check_ledger(account)
    model.check_releases()
    model.has_changed_mode = True
    played.load("off", "off")
    world.settle()
    assert sum(box.rows("held") + box.rows("held_ids") for box in world.boxes) == 0
    for account in ("main", "shop"):
        model.check_ledger(account)
        model.check_amounts(account)
    model.check_releases()
    model.check_order()
    assert len(world.records(topics.MO_MESSAGE)) == played.received
    assert all(_is_settled(ledger) for ledger in world.ledgers)
    wanted = ledger_octets(world)
    assert replayed(world, at_most=1) == wanted
    assert replayed(world, at_most=1_000) == wanted


def _is_settled(ledger: Agent) -> bool:
    return ledger.rows("waiting") == 0
