"""How long after the loss of a broker messages are acknowledged again, and processed again."""

from __future__ import annotations

from collections import defaultdict
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

COLUMNS = (
    "loss",
    "times",
    "200: first",
    "200: all",
    "mo-message: first",
    "mo-message: all",
    "whole again",
)


class Loss(NamedTuple):
    """A fault, and when it began, in seconds of the clock of this machine.

    `whole_after`: seconds from its end until every partition has three copies again.
    """

    kind: str
    at: float
    whole_after: float


class Done(NamedTuple):
    """When a message of a partition was begun by the gateway, and when it was done."""

    partition: int
    begun: float
    at: float


class Recovery(NamedTuple):
    """Seconds from a loss to the first message that was begun after it and is done.

    `first`: in the partition that was first; `all`: in the one that was last. None: there was none.
    """

    first: float | None
    all: float | None


def recovery_after(loss: Loss, done: Iterable[Done], *, partitions: int) -> Recovery:
    """What `done` says of one loss."""
    firsts: dict[int, float] = {}
    for partition, begun, at in done:
        if begun >= loss.at:
            firsts[partition] = min(firsts.get(partition, at), at)
    seconds = [at - loss.at for at in firsts.values()]
    return Recovery(
        first=min(seconds, default=None),
        all=max(seconds) if len(seconds) == partitions else None,
    )


def table_of(
    losses: Iterable[Loss],
    acknowledged: Sequence[Done],
    processed: Sequence[Done],
    *,
    partitions: int,
) -> list[str]:
    """The lines of a table: for each kind of loss the median, and the longest in brackets."""
    rows: defaultdict[str, list[tuple[float | None, ...]]] = defaultdict(list)
    for loss in losses:
        taken = recovery_after(loss, acknowledged, partitions=partitions)
        passed = recovery_after(loss, processed, partitions=partitions)
        rows[loss.kind].append((*taken, *passed, loss.whole_after))
    lines = [COLUMNS, tuple("---" for _ in COLUMNS)]
    for kind, found in rows.items():
        cells = [_cell(column) for column in zip(*found, strict=True)]
        lines.append((kind, str(len(found)), *cells))
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _cell(seconds: Sequence[float | None]) -> str:
    known = [each for each in seconds if each is not None]
    if len(known) < len(seconds):
        return "never"
    if len(known) == 1:
        return f"{known[0]:.1f} s"
    return f"{median(known):.1f} s ({max(known):.1f} s)"
