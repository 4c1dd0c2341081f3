"""Where the marks of a chart are: upright in pixels, sideways in per cent of whatever width it has.

So a chart fits a phone and a wide screen, and its words keep their size.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

HEIGHT: Final = 220
#: Room above the highest mark, and below the lowest for the words of the axis.
TOP: Final = 12
BOTTOM: Final = 24
_TICKS: Final = 4
_LABELS: Final = 8
#: Every so many labels one stays on a phone.
_ON_A_PHONE: Final = 3
#: Part of a stretch's width that a bar takes.
_BAR_PART: Final = 0.78
_WHOLE: Final = 100.0


class ChartTick(msgspec.Struct, frozen=True):
    """A line across, at a value."""

    y: float
    words: str


class ChartLabel(msgspec.Struct, frozen=True):
    """Words below the axis; minor ones are left out on a phone."""

    x: float
    words: str
    is_minor: bool
    anchor: str


class ChartBar(msgspec.Struct, frozen=True):
    """A bar, or a piece of one, of one series."""

    x: float
    width: float
    y: float
    height: float
    series: int


class ChartDot(msgspec.Struct, frozen=True):
    """A value of a series that is a line."""

    x: float
    y: float
    series: int


class ChartSegment(msgspec.Struct, frozen=True):
    """A line between two neighbours of a series."""

    x1: float
    y1: float
    x2: float
    y2: float
    series: int


class ChartHit(msgspec.Struct, frozen=True):
    """What a pointer over a stretch is told."""

    x: float
    width: float
    words: str


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """The marks of one chart."""

    height: int = HEIGHT
    ticks: list[ChartTick]
    labels: list[ChartLabel]
    bars: list[ChartBar] = []
    dots: list[ChartDot] = []
    segments: list[ChartSegment] = []
    hits: list[ChartHit] = []
    limit: ChartTick | None = None


def plot_of(
    columns: Sequence[str],
    series: Sequence[Sequence[float | None]],
    *,
    words_of: Callable[[float], str],
    hits: Sequence[str],  # empty: nothing is there
    is_stacked: bool,
    limit: tuple[float, str] | None = None,
    unit: float = 0,
) -> Plot:
    """A plot of some series over the same columns, as bars upon each other or as lines.

    `unit` is the least distance of two lines across; `limit` is a line at a value, with its words.
    """
    tops = (
        [math.fsum(value or 0 for value in values) for values in zip(*series, strict=True)]
        if is_stacked
        else [value or 0 for values in series for value in values]
    )
    highest = max([*tops, limit[0] if limit else 0], default=0)
    step = _step_of(highest, unit)
    most = max(step, math.ceil(highest / step - 1e-9) * step)
    inner = HEIGHT - TOP - BOTTOM

    def y_of(value: float) -> float:
        return round(TOP + inner * (1 - value / most), 2)

    width = _WHOLE / max(1, len(columns))
    ticks = [
        ChartTick(y_of(at * step), words_of(at * step)) for at in range(round(most / step) + 1)
    ]
    segments, dots = [], []
    if not is_stacked:
        for number, values in enumerate(series):
            placed = [
                None if value is None else ChartDot(_middle(at, width), y_of(value), number)
                for at, value in enumerate(values)
            ]
            dots += [dot for dot in placed if dot]
            segments += [
                ChartSegment(a.x, a.y, b.x, b.y, number) for a, b in pairwise(placed) if a and b
            ]
    return Plot(
        ticks=ticks,
        labels=list(_labels(columns, width)),
        bars=list(_stacked(series, width, y_of)) if is_stacked else [],
        dots=dots,
        segments=segments,
        hits=[
            ChartHit(round(at * width, 3), round(width, 3), words)
            for at, words in enumerate(hits)
            if words
        ],
        limit=ChartTick(y_of(limit[0]), limit[1]) if limit else None,
    )


def _stacked(
    series: Sequence[Sequence[float | None]], width: float, y_of: Callable[[float], float]
) -> Iterator[ChartBar]:
    for at, values in enumerate(zip(*series, strict=True)):
        below = 0.0
        for number, value in enumerate(values):
            if not value:
                continue
            top, bottom = y_of(below + value), y_of(below)
            below += value
            yield ChartBar(
                round((at + (1 - _BAR_PART) / 2) * width, 3),
                round(width * _BAR_PART, 3),
                top,
                round(bottom - top, 2),
                number,
            )


def _labels(columns: Sequence[str], width: float) -> Iterator[ChartLabel]:
    """Every so many columns one has its words below; the first and the last stay inside."""
    step = max(1, math.ceil(len(columns) / _LABELS))
    for count, at in enumerate(range(0, len(columns), step)):
        x = _middle(at, width)
        anchor = "start" if x < 3 else "end" if x > 97 else "middle"
        yield ChartLabel(x, columns[at], bool(count % _ON_A_PHONE), anchor)


def _middle(at: int, width: float) -> float:
    return round((at + 0.5) * width, 3)


def _step_of(highest: float, unit: float) -> float:
    """1, 2 or 5 times a power of ten, so that about four lines reach the highest value."""
    if highest <= 0:
        return unit or 1
    rough = highest / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough)
    return max(step, unit)
