"""Charges and credits that others write: the agent goes on, and its books add up."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka import topics
from pipeline.records import AccountCharge, AccountCredit
from tests.support.accounting import Accounting, toml_of

LONGS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([0, 1, -1, 2**31, 2**62, -(2**63), 2**63 - 1, 3 * 10**15, 3 * 10**15 + 1]),
)
INTS = st.one_of(st.integers(-5, 5), st.sampled_from([-(2**31), 2**31 - 1]))
TEXTS = st.one_of(
    st.sampled_from(["main", "shop", "", "a\0b", "\u202e", "x" * 70]), st.text(max_size=9)
)
IDS = st.one_of(st.sampled_from(["a", "b", "c"]), st.text(max_size=70))
TIMES = st.datetimes(
    min_value=datetime(1, 1, 2),  # noqa: DTZ001 - Hypothesis wants it so
    max_value=datetime(9999, 12, 30),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)
KINDS = st.sampled_from(["mo", "mt", "gateway-confirmation", "credit", "correction", ""])
CHARGES = st.builds(
    AccountCharge,
    charge_id=IDS,
    account=TEXTS,
    kind=KINDS,
    number=TEXTS,
    parts=INTS,
    units=LONGS,
    is_stated=st.booleans(),
    is_held=st.booleans(),
    home=INTS,
    part_ids=st.lists(TEXTS, max_size=2),
    flags=st.lists(TEXTS, max_size=2),
    at=TIMES,
)
CREDITS = st.builds(
    AccountCredit,
    credit_id=IDS,
    account=TEXTS,
    kind=KINDS,
    units=LONGS,
    reference=TEXTS,
    actor=TEXTS,
    reason=TEXTS,
    requested_at=TIMES,
)


@given(records=st.lists(CHARGES | CREDITS, max_size=40), holds=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_record_of_others_stops_the_agent_or_breaks_the_books(
    records: list[AccountCharge | AccountCredit], holds: bool
) -> None:
    world = Accounting(toml_of(*(["hold"] * 2 if holds else ["book"] * 2)), partitions=2)
    for record in records:
        is_charge = isinstance(record, AccountCharge)
        topic = topics.ACCOUNT_CHARGE if is_charge else topics.ACCOUNT_CREDIT
        world.publish(topic, record.account, record)
    world.settle()
    by_account: dict[str, int] = {}
    numbers: dict[str, int] = {}
    for entry in world.records(topics.ACCOUNT_ENTRY):
        by_account[entry.account] = by_account.get(entry.account, 0) + entry.units
        numbers[entry.account] = numbers.get(entry.account, 0) + 1
        assert (entry.balance, entry.sequence) == (
            by_account[entry.account],
            numbers[entry.account],
        )
        assert abs(entry.balance) <= 2**62
    assert all(0 <= at < 2 for at, _ in world.written[topics.ACCOUNT_RELEASE])
    failed = [each.reason for each in world.records(topics.DEAD_LETTER)]
    assert set(failed) <= {"wrong-order"}


def test_a_queue_costs_the_same_however_long_it_is() -> None:
    """A charge that waits is one row, and a release one look-up, whatever waits behind it."""

    def rows_written(waiting: int) -> int:
        world = Accounting(partitions=1)
        for at in range(waiting):
            world.charge(charge_id=f"m{at}", kind="mo", units=1_000_000, is_held=True, home=0)
        world.settle()
        world.credit("main", 1_000_000)
        (ledger,) = world.ledgers
        before = ledger.state.point.sequence
        world.settle()
        assert ledger.state.point.sequence - before == 1
        return len(world.records(topics.ACCOUNT_RELEASE))

    assert [rows_written(waiting) for waiting in (10, 100, 1_000)] == [1, 1, 1]
