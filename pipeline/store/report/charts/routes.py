"""The routes of charts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.store.report.caller import Right
from pipeline.store.report.charts.catalogue import CHARTS
from pipeline.store.report.charts.chart import FOR_NUMBERS
from pipeline.store.report.pages.answers import html_answer
from pipeline.store.report.route import ReportRoute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.report.charts.chart import Chart
    from pipeline.store.report.charts.pages import ChartPages
    from pipeline.store.report.route import PageRequest

#: A chart counts: it shows no handset and no text, so whoever is let in may see it.
_NOTHING: Final[frozenset[Right]] = frozenset()


def chart_routes(pages: ChartPages) -> Iterator[ReportRoute]:
    """All charts, each by itself, and each table."""

    async def every(asked: PageRequest) -> web.StreamResponse:
        return html_answer(await pages.all_charts(asked))

    async def one(asked: PageRequest, chart: Chart) -> web.StreamResponse:
        return html_answer(await pages.one_chart(asked, chart))

    async def table(asked: PageRequest, chart: Chart) -> web.StreamResponse:
        return web.Response(
            body=await pages.chart_table(asked, chart),
            content_type="text/csv",
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="{chart.name}.csv"'},
        )

    yield ReportRoute(
        method="GET", path="/charts", answer=every, needs=_NOTHING, parameters=FOR_NUMBERS
    )
    for chart in CHARTS.values():
        for path, answer, needs in (
            (f"/chart/{chart.name}", one, _NOTHING),
            (f"/chart/{chart.name}.csv", table, frozenset({Right.DOWNLOAD})),
        ):
            yield ReportRoute(
                method="GET",
                path=path,
                answer=partial(answer, chart=chart),
                needs=needs,
                parameters=chart.filters,
            )
