"""How each reply path stands over all partitions of this process, for the metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.delivery import metrics
from pipeline.stages.delivering.path import length_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.stages.delivering.row import PathState


class Standings:
    """The last known state of each path in each partition."""

    def __init__(self) -> None:
        self._states: dict[str, dict[int, PathState]] = {}

    def note(self, partition: int, name: str, state: PathState) -> None:
        """A path's state in a partition has changed."""
        if name not in self._states:
            self._states[name] = {}
            # Prometheus sees no increase in a series that is new.
            metrics.GIVEN_UP.labels(name)
            metrics.GONE.labels(name)
        self._states[name][partition] = state

    def given_up(self, name: str) -> None:
        """A delivery by the path was given up."""
        metrics.GIVEN_UP.labels(name).inc()

    def show(self, owned: Iterable[int]) -> None:
        """Set the gauges, from the partitions that are ours."""
        ours = set(owned)
        for name, states in self._states.items():
            for partition in states.keys() - ours:
                del states[partition]
            there = states.values()
            waiting = sum(length_of(each.first) + length_of(each.again) for each in there)
            under_way = sum(each.first_under_way + each.again_under_way for each in there)
            metrics.WAITING.labels(name).set(waiting)
            metrics.UNDER_WAY.labels(name).set(under_way)
            metrics.CIRCUIT_OPEN.labels(name).set(sum(each.probe_at is not None for each in there))
