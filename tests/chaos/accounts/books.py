"""What the topics hold at the end of a run, and what does not add up in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.accounts.agent import AccountsAgent
from pipeline.accounts.balances import Balances
from pipeline.accounts.tables import ACCOUNT_TABLES
from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from pipeline.settings import Settings
from tests.support.partitioned import Agent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

READ: Final = (
    topics.NUMBERS,
    topics.ACCOUNT_CREDIT,
    topics.ACCOUNT_CHARGE,
    topics.CLOCK,
    topics.ACCOUNT_ENTRY,
    topics.ACCOUNT_RELEASE,
    topics.MO_MESSAGE,
    topics.DEAD_LETTER,
)
IDLE_READS: Final = 5
UNIT_RECORDS: Final = 700  # not the engine's number: a replay must not depend on it


class Kept:
    """Every committed record of these topics, by topic and partition, in order.

    Messages of other accounts than `accounts` are another run's.
    """

    def __init__(self, partitions: int, *, accounts: Iterable[str]) -> None:
        self.partitions = partitions
        self._accounts = frozenset(accounts)
        self.records: dict[tuple[str, int], list[Any]] = defaultdict(list)

    async def read(self, bootstrap: str) -> None:
        """Read all of it."""
        places = [TopicPartition(t, p) for t in READ for p in range(self.partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
        await consumer.start()
        try:
            consumer.assign(places)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(places)
            idle = 0
            while idle < IDLE_READS and any(
                [await consumer.position(at) < end for at, end in ends.items()]
            ):
                batches = await consumer.getmany(timeout_ms=500)
                idle = 0 if batches else idle + 1
                for at, records in batches.items():
                    self.records[at.topic, at.partition] += records
        finally:
            await consumer.stop()

    def messages(self) -> list[Any]:
        """The messages of the accounts."""
        return [each for each in self.values(topics.MO_MESSAGE) if each.account in self._accounts]

    def values(self, topic: str) -> list[Any]:
        """The records of a topic, partition by partition."""
        return [
            single_object.decode(record.value)
            for partition in range(self.partitions)
            for record in self.records[topic, partition]
        ]


def faults_of(
    kept: Kept, *, acknowledged: set[str], credited: dict[tuple[str, str], int]
) -> Iterator[str]:
    """What does not add up. `credited`: what was ordered, by account and id."""
    messages = kept.messages()
    came = Counter(each.mo_msg_ids[0].partition("-")[0] for each in messages)
    for name in sorted(acknowledged - set(came)):
        yield f"{name} is lost"
    yield from (f"{name} came {count} times" for name, count in came.items() if count > 1)
    charges = kept.values(topics.ACCOUNT_CHARGE)
    yield from _out_of_order(charges, messages)
    entries: dict[str, list[Any]] = defaultdict(list)
    for entry in kept.values(topics.ACCOUNT_ENTRY):
        entries[entry.account].append(entry)
    for account, ledger in entries.items():
        yield from _faults_of_ledger(account, ledger)
    booked = Counter((e.account, e.reference) for ledger in entries.values() for e in ledger)
    yield from (f"{key} is booked {n} times" for key, n in booked.items() if n > 1)
    amounts = {(e.account, e.reference): e.units for ledger in entries.values() for e in ledger}
    wanted = {(c.account, c.charge_id): -c.units for c in charges} | credited
    for key in amounts.keys() ^ wanted.keys():
        yield f"{key} is booked or ordered, and not both"
    yield from (
        f"{key} is booked with {amounts[key]}, not {units}"
        for key, units in wanted.items()
        if amounts.get(key, units) != units
    )
    released = Counter(each.charge_id for each in kept.values(topics.ACCOUNT_RELEASE))
    yield from (f"{name} is released {n} times" for name, n in released.items() if n > 1)
    yield from (f"dead letter: {each.words}" for each in kept.values(topics.DEAD_LETTER))


def _out_of_order(charges: list[Any], messages: list[Any]) -> Iterator[str]:
    """A handset's messages of one account come out in the order of their charges."""
    place = {charge.charge_id: at for at, charge in enumerate(charges)}
    latest: dict[tuple[str, str], int] = {}
    for message in messages:
        line = (message.handset, message.account)
        at = place[message.message_id]
        if at < latest.get(line, -1):
            yield f"{message.message_id} has overtaken another of its handset"
        latest[line] = at


def _faults_of_ledger(account: str, ledger: list[Any]) -> Iterator[str]:
    balance = 0
    for number, entry in enumerate(ledger, start=1):
        balance += entry.units
        if (entry.sequence, entry.balance) != (number, balance):
            yield f"{account}: entry {number} is {entry.sequence}, {entry.balance} not {balance}"
        if entry.kind == "mo" and entry.balance < 0:
            yield f"{account}: entry {number} goes without cover"


def replay_faults(kept: Kept) -> Iterator[str]:
    """Partitions whose ledger a replay of the topics does not give octet for octet."""
    rank = {topic: at for at, topic in enumerate(readers.READ_BY[readers.ACCOUNTS])}
    settings = Settings(partitions=kept.partitions)
    for partition in range(kept.partitions):
        agent = Agent(
            readers.ACCOUNTS,
            partition,
            lambda p=partition: AccountsAgent(  # type: ignore[misc]
                partition=p, settings=settings, balances=Balances()
            ),
            ACCOUNT_TABLES,
        )
        records = [r for topic in rank for r in kept.records[topic, partition]]
        agent.log = [
            SimpleNamespace(**{name: getattr(r, name) for name in r.__dataclass_fields__})
            for r in sorted(records, key=lambda r: (r.timestamp, rank[r.topic], r.offset))
        ]
        written: list[tuple[str, int, bytes, bytes]] = []
        while agent.taken < len(agent.log):
            written += agent.work(UNIT_RECORDS)
        again = [value for topic, _, _, value in written if topic == topics.ACCOUNT_ENTRY]
        before = [each.value for each in kept.records[topics.ACCOUNT_ENTRY, partition]]
        if again != before:
            yield f"partition {partition}: a replay gives another ledger"
