"""Top-ups at random, each ordered until Kafka has it, some of them twice."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import AccountCredit

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    from tests.support.running import RunningStack

THIRD: Final = 1_000_000
#: So often an order is repeated, with its id.
REPEATS: Final = 0.2


class Payments:
    """What was ordered for each account, and what is owed. `parts` counts what was charged."""

    def __init__(
        self, running: RunningStack, parts: Counter[str], *, partitions: int, seed: int
    ) -> None:
        self._running = running
        self._parts = parts
        self._partitions = partitions
        self._rng = random.Random(seed)
        self.credited: dict[tuple[str, str], int] = {}

    async def pay_until(self, is_over: Callable[[], bool], accounts: list[str]) -> None:
        """Top up at random, now and then with an id that was used before."""
        while not is_over():
            await asyncio.sleep(self._rng.uniform(0.2, 1.5))
            account = self._rng.choice(accounts)
            mine = [name for whose, name in self.credited if whose == account]
            if mine and self._rng.random() < REPEATS:
                name = self._rng.choice(mine)
                await self._order(account, self.credited[account, name], name)
            else:
                owed = self._parts[account] * THIRD - self._paid(account)
                await self._order(account, max(1, int(owed * self._rng.uniform(0.1, 1.1))))

    async def pay_all(self) -> None:
        """Pay what every account owes."""
        for account, count in self._parts.items():
            await self._order(account, max(THIRD, count * THIRD - self._paid(account)))

    def _paid(self, account: str) -> int:
        return sum(units for (whose, _), units in self.credited.items() if whose == account)

    async def _order(self, account: str, units: int, name: str = "") -> None:
        """Order a credit, again and again until Kafka has it: the id makes that harmless."""
        name = name or f"credit-{len(self.credited)}"
        self.credited[account, name] = units
        order = AccountCredit(
            credit_id=name,
            account=account,
            kind="credit",
            units=units,
            reference="",
            actor="chaos",
            reason="a top-up",
            requested_at=datetime.now(UTC),
        )
        key = account.encode()
        while True:
            producer = None
            try:
                producer = AIOKafkaProducer(bootstrap_servers=self._running.stack.kafka, acks="all")
                await producer.start()
                await producer.send_and_wait(
                    topics.ACCOUNT_CREDIT,
                    single_object.encode(order),
                    key=key,
                    partition=topics.partition_of(key, self._partitions),
                )
                return
            except (KafkaError, OSError, AssertionError):
                await asyncio.sleep(0.5)
            finally:
                if producer is not None:
                    await producer.stop()
