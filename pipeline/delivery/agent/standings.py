"""The state of each reply path over all partitions of this process, for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.delivery import metrics
from pipeline.delivery.agent.tables import DELIVERY_ROWS, PLACE_ROWS
from pipeline.stages.delivering.path import length_of
from pipeline.stages.delivering.row import AGAIN, FIRST, decode_delivery, place_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline.engine.state.tables import Table
    from pipeline.stages.delivering.row import PathState


class Standings:
    """The last known state of each path in each partition."""

    def __init__(self) -> None:
        self._states: dict[str, dict[int, PathState]] = {}

    def note(self, partition: int, name: str, state: PathState) -> None:
        """Keep the new state of a path in a partition."""
        if name not in self._states:
            self._states[name] = {}
            # Prometheus sees no increase in a series that is new.
            metrics.GIVEN_UP.labels(name)
            metrics.GONE.labels(name)
        self._states[name][partition] = state

    def given_up(self, name: str) -> None:
        """Count a delivery by the path that was given up."""
        metrics.GIVEN_UP.labels(name).inc()

    def show(self, owned: Mapping[int, Mapping[str, Table]]) -> None:
        """Set the gauges from the partitions that this process owns; `owned` has their tables."""
        for name, states in self._states.items():
            for partition in states.keys() - owned.keys():
                del states[partition]
            there = states.values()
            waiting = sum(length_of(each.first) + length_of(each.again) for each in there)
            under_way = sum(each.first_under_way + each.again_under_way for each in there)
            oldest = [
                since
                for partition, state in states.items()
                for since in _since_of_heads(owned[partition], name, state)
            ]
            metrics.WAITING.labels(name).set(waiting)
            metrics.OLDEST.labels(name).set(min(oldest).timestamp() if oldest else 0)
            metrics.UNDER_WAY.labels(name).set(under_way)
            metrics.CIRCUIT_OPEN.labels(name).set(sum(each.probe_at is not None for each in there))


def _since_of_heads(tables: Mapping[str, Table], name: str, state: PathState) -> Iterator[datetime]:
    """When the records at the head of a path's queues were written."""
    for line, queue in ((FIRST, state.first), (AGAIN, state.again)):
        if not length_of(queue):
            continue
        key = tables[PLACE_ROWS].get(place_key(name, line, queue.head))
        octets = None if key is None else tables[DELIVERY_ROWS].get(key)
        if octets is not None:  # else it was forgotten as it waited
            yield decode_delivery(octets).since
