"""The pages of charts: all of them over one time, one by itself, and its table as CSV."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeline.store.report.charts.catalogue import CHARTS
from pipeline.store.report.charts.steps import STRETCHES
from pipeline.store.report.export.csv_form import BYTE_ORDER_MARK, csv_from_rows

if TYPE_CHECKING:
    from pipeline.store.report.charts.chart import Chart
    from pipeline.store.report.charts.reading import ChartReader
    from pipeline.store.report.pages.rendering import Rendering
    from pipeline.store.report.route import PageRequest


class ChartPages:
    """Shows charts."""

    def __init__(self, reader: ChartReader, rendering: Rendering) -> None:
        self._reader = reader
        self._rendering = rendering

    async def all_charts(self, asked: PageRequest) -> str:
        """Every chart over the same time, number and step."""
        filters = await self._reader.chart_filters(asked.query)
        step = asked.query.get("step", "")
        shown = await asyncio.gather(
            *(self._reader.chart_of(chart, filters, step) for chart in CHARTS.values())
        )
        return self._rendering.html(
            "charts.html", asked, filters=filters, step=step, steps=STRETCHES, charts=shown
        )

    async def one_chart(self, asked: PageRequest, chart: Chart) -> str:
        """One chart, with every filter that it has."""
        filters = await self._reader.chart_filters(asked.query)
        step = asked.query.get("step", "")
        shown = await self._reader.chart_of(chart, filters, step)
        return self._rendering.html(
            "chart.html", asked, filters=filters, step=step, steps=STRETCHES, shown=shown
        )

    async def chart_table(self, asked: PageRequest, chart: Chart) -> bytes:
        """The table of a chart as CSV."""
        filters = await self._reader.chart_filters(asked.query)
        shown = await self._reader.chart_of(chart, filters, asked.query.get("step", ""))
        beside = [each.words for each in shown.other_columns()]
        rows = [[row.words, *row.values, *row.beside] for row in shown.rows]
        return BYTE_ORDER_MARK + csv_from_rows([[shown.head, *shown.series, *beside], *rows])
