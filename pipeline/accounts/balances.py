"""How each account stands over all partitions of this process, for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.accounts import metrics
from pipeline.credits import UNITS_PER_CREDIT

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipeline.stages.account.row import AccountState


class Balances:
    """The last known state of each account. An account has one partition."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[int, AccountState]] = {}

    def note(self, partition: int, name: str, state: AccountState) -> None:
        """An account's state has changed."""
        if name not in self._states:
            # Prometheus sees no increase in a series that is new.
            metrics.NOTICES.labels(name)
        self._states[name] = (partition, state)

    def show_balances(self, owned: Collection[int]) -> None:
        """Set the gauges, from the partitions that are ours; others show their own."""
        for name, (partition, state) in list(self._states.items()):
            if partition in owned:
                metrics.BALANCE.labels(name).set(state.balance / UNITS_PER_CREDIT)
                metrics.UNPAID.labels(name).set(state.tail - state.head)
            else:
                del self._states[name]
                metrics.BALANCE.remove(name)
                metrics.UNPAID.remove(name)
