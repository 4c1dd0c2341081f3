"""A chart with its values: what its template draws, and its table."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from pipeline.store.report.charts.chart import Chart, ChartSeries
from pipeline.store.report.charts.drawing import Plot
from pipeline.store.report.charts.words import words_of_count, words_of_hours
from pipeline.store.report.lists.filters import Filters
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from collections.abc import Mapping


class ChartRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a chart's table; `query` asks its list for what it counts."""

    words: str
    query: str
    values: list[float | None]
    beside: list[Any] = []


class ChartShown(msgspec.Struct, frozen=True, kw_only=True):
    """A chart with its values."""

    chart: Chart
    filters: Filters
    step: str
    series: list[str]
    rows: list[ChartRow]
    plot: Plot | None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be drawn."""
        return not any(value for row in self.rows for value in [*row.values, *row.beside])

    @property
    def head(self) -> str:
        """What stands above the first column of the table."""
        return {"ages": "age", "rows": "state"}.get(self.chart.kind, f"{self.step} (UTC)")

    def words_of(self, value: float | None) -> str:
        """A value as it is read."""
        if value is None:
            return ""
        return words_of_hours(value) if self.chart.is_duration else words_of_count(value)

    def other_columns(self) -> list[ChartSeries]:
        """The columns of the table beside the series; a row of `rows` begins with the others."""
        found = self.chart.beside
        return [each for each in found if self.chart.kind != "rows" or each.column == "words"]

    def beside_words(self, at: int, value: Any) -> str:
        """A value of such a column as it is read."""
        match value:
            case None:
                return ""
            case datetime():
                return value.strftime("%Y-%m-%d %H:%M:%S UTC")
            case str():
                return legible(value)
        is_time = self.chart.is_duration and self.other_columns()[at].column == "longest"
        return words_of_hours(value) if is_time else words_of_count(value)

    def sums(self) -> list[tuple[str, float]]:
        """The sum of each series, for who hears the chart."""
        columns = zip(*(row.values for row in self.rows), strict=True)
        return [
            (name, sum(value or 0 for value in values))
            for name, values in zip(self.series, columns, strict=True)
        ]

    def own_query(self, given: Mapping[str, str]) -> str:
        """The parameters of the chart's own address: those of a request that it knows."""
        return urlencode({k: v for k, v in given.items() if k in self.chart.filters})
