"""`twoway credit`: what is refused, and what is said once the ledger has booked an order."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

from pipeline.avro.single_object import decode, encode
from pipeline.cli.account.waiting import booked
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import AccountCredit, DeadLetter
from tests.store.samples import SAMPLES
from tests.support.account_records import CREDIT, THIRD, PlainLedger, account_of, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.cli.local.kafka import LocalKafka
    from tests.cli.account.conftest import RunAccount

    Run = Callable[..., tuple[int, str, str]]

PARTITIONS = 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["main", "0.33333333"], "is no multiple of 1/3,000,000 credit"),
        (["main", "1/7"], "is no multiple of 1/3,000,000 credit"),
        (["main", "1e3"], "is no number of credits"),
        (["main", "1,000"], "is no number of credits"),
        (["main", "NaN"], "is no number of credits"),
        (["main", "0"], "AMOUNT is zero"),
        (["main", "-5"], "AMOUNT is below zero"),
        (["main", "-1/3"], "AMOUNT is below zero"),
        (["main", "9999999999999"], "is more than 1,000,000,000 credits"),
        (["main", "9" * 4_000], "is no number of credits"),
        ([" ", "5"], "ACCOUNT is a name"),
        (["m" * 65, "5"], "ACCOUNT is a name"),
        (["ma\x1bin", "5"], "ACCOUNT is a name"),
        (["main", "5", "--id", "x" * 65], "--id is at most 64"),
        (["main", "5", "--id", "a\nb"], "--id is at most 64"),
        (["main", "5", "--reason", " "], "--reason must say why"),
        (["main", "5", "--reason", "x" * 1_001], "--reason is at most 1,000"),
        (["main", "-5", "--correction", " "], "AMOUNT is below zero"),
    ],
)
def test_what_cannot_be_credited_is_wrong_usage(
    run_account: RunAccount, words: list[str], said: str
) -> None:
    given = words if "--reason" in words else [*words, "--reason", "Paid."]
    code, out, err = run_account("credit", *given)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_a_reason_is_needed(run_account: RunAccount) -> None:
    code, _, err = run_account("credit", "main", "5")
    assert code == 2
    assert "--reason" in err


def credit_of(**fields: Any) -> AccountCredit:
    given: dict[str, Any] = {
        "credit_id": "c1", "account": "main", "kind": "credit", "units": CREDIT, "reference": "",
        "actor": "anna", "reason": "Paid.", "requested_at": datetime(2026, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return AccountCredit(**given | fields)


def letter_of(**fields: Any) -> DeadLetter:
    from msgspec.structs import replace

    sample = next(each for each in SAMPLES if type(each) is DeadLetter)
    return replace(sample, **fields)


def test_the_entry_of_an_order_is_found_among_others() -> None:
    ledger, other = PlainLedger(), PlainLedger("other")
    wanted = ledger.book("credit", CREDIT, datetime(2026, 3, 1, tzinfo=UTC), reference="c1")
    read = [
        None,
        other.book("credit", CREDIT, wanted.at, reference="c1"),
        wanted,
        ledger.book("mo", -THIRD, wanted.at),
        letter_of(topic=topics.ACCOUNT_CREDIT, offset=6),
    ]
    found = booked(read, credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7)
    assert found == wanted
    assert booked(read[3:], credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7) is None


def test_an_order_that_the_ledger_refused_is_said() -> None:
    letter = letter_of(topic=topics.ACCOUNT_CREDIT, offset=7, words="there is no such account")
    with pytest.raises(CommandError, match="refused the order: there is no such account"):
        booked([letter], credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7)


# On a broker, beside a ledger that books in the plainest way


class LedgerThread(threading.Thread):
    """Takes orders one by one, as the group of `twoway accounts`."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(daemon=True)
        self._broker = bootstrap
        self._stopped = threading.Event()
        self._ledgers: dict[str, PlainLedger] = {}
        self._taken: dict[str, int] = {}

    def run(self) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self._broker,
            group_id=readers.ACCOUNTS,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        producer = KafkaProducer(bootstrap_servers=self._broker)
        consumer.assign([TopicPartition(topics.ACCOUNT_CREDIT, n) for n in range(PARTITIONS)])
        while not self._stopped.is_set():
            for at, records in consumer.poll(timeout_ms=100).items():
                for record in records:
                    self._take(producer, record)
                    consumer.commit({at: OffsetAndMetadata(record.offset + 1, "", -1)})
        producer.close()
        consumer.close()

    def _take(self, producer: KafkaProducer, record: Any) -> None:
        order = decode(record.value)
        assert isinstance(order, AccountCredit)
        if self._taken.get(order.credit_id, order.units) != order.units:
            letter = letter_of(
                topic=record.topic, offset=record.offset, words="the id has another amount"
            )
            producer.send(topics.DEAD_LETTER, encode(letter), partition=record.partition).get(30)
        if order.credit_id in self._taken:
            return
        self._taken[order.credit_id] = order.units
        now = datetime.now(UTC)
        ledger = self._ledgers.setdefault(order.account, PlainLedger(order.account))
        entry = ledger.book(order.kind, order.units, now, reference=order.credit_id)
        producer.send(
            topics.ACCOUNT_ENTRY, encode(entry), key=record.key, partition=record.partition
        ).get(30)

    def stop(self) -> None:
        self._stopped.set()
        self.join(30)


@pytest.fixture(scope="module")
def broker(empty_kafka: Callable[[], LocalKafka]) -> Iterator[str]:
    kafka = empty_kafka()
    ledger = None
    try:
        producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
        for partition in range(PARTITIONS):
            producer.send(
                topics.NUMBERS, encode(listed(account_of("new"))), partition=partition
            ).get(30)
        producer.close()
        ledger = LedgerThread(kafka.bootstrap)
        ledger.start()
        yield kafka.bootstrap
    finally:
        if ledger is not None:
            ledger.stop()


@pytest.fixture
def run(broker: str, run_account: RunAccount, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line on the broker, and on the report of another ledger."""
    monkeypatch.setenv("TWOWAY_KAFKA", broker)
    return partial(run_account)


@pytest.mark.broker
def test_a_credit_is_booked_and_the_new_balance_is_said(run: Run) -> None:
    code, out, err = run("credit", "new", "100", "--reason", "Paid.", "--id", "first")
    assert (code, err) == (0, "")
    assert out == "first: 100 credits are booked\nthe balance of new is 100 credits\n"
    code, out, _ = run(
        "credit", "new", "-1/3", "--reason", "Twice.", "--correction", "mo-7", "--json"
    )
    told = json.loads(out)
    assert (code, told["units"], told["credits"]) == (0, -THIRD, "-1/3")
    assert told["balance_credits"] == "99 2/3"


@pytest.mark.broker
def test_an_account_that_nobody_has_written_down_is_refused(run: Run) -> None:
    code, out, err = run("credit", "nwe", "100", "--reason", "Paid.")
    assert (code, out) == (1, "")
    assert "numbers.toml has no [[account]] 'nwe'; there are new" in err


@pytest.mark.broker
def test_the_same_id_with_another_amount_is_refused(run: Run) -> None:
    assert run("credit", "new", "1", "--reason", "Paid.", "--id", "second")[0] == 0
    code, out, err = run("credit", "new", "2", "--reason", "Paid.", "--id", "second")
    assert (code, out) == (1, "")
    assert "refused the order: the id has another amount" in err


@pytest.mark.broker
def test_the_same_id_again_counts_once_and_says_so(run: Run, served: str) -> None:
    """The first entry is in the report already, under the account `main`."""
    assert served
    words = ("credit", "main", "2", "--reason", "Paid.", "--id", "credit-1", "--force")
    assert run(*words)[0] == 0
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert out == (
        "credit-1 had counted before, as 2 credits at 2026-03-01 09:00:00 UTC: nothing changes\n"
    )
