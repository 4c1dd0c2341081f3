"""Asks for a chart's values, and makes its marks and its table of the same rows."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec

from pipeline.store.report.charts.chart import MOST_SERIES, OTHER_SERIES
from pipeline.store.report.charts.drawing import plot_of
from pipeline.store.report.charts.of_states import AGES
from pipeline.store.report.charts.shown import ChartRow, ChartShown
from pipeline.store.report.charts.steps import stretch_for
from pipeline.store.report.charts.words import words_of_count, words_of_hours
from pipeline.store.report.lists.conditions import conditions_of
from pipeline.store.report.lists.fates import LINES_THERE
from pipeline.store.report.lists.filters import filters_from_query, with_days

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.charts.chart import Chart
    from pipeline.store.report.charts.drawing import Plot
    from pipeline.store.report.charts.steps import StretchOfTime
    from pipeline.store.report.lists.filters import Filters


class ChartReader:
    """Reads charts."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def chart_filters(self, query: Mapping[str, str]) -> Filters:
        """The filters of a request; without times the 30 days up to the newest message."""
        given = filters_from_query({k: v for k, v in query.items() if k != "step"})
        (row,) = await self._questions.rows(LINES_THERE)
        newest = row["newest"] if row["lines"] else datetime.now(UTC)
        filters = with_days(given, newest=newest)
        since = filters.since or newest
        # A whole minute, as the field of the form has it.
        behind = (max(newest, since) + timedelta(minutes=1)).replace(second=0, microsecond=0)
        until = filters.until or behind
        return msgspec.structs.replace(filters, since=since, until=max(until, since))

    async def chart_of(self, chart: Chart, filters: Filters, step: str = "") -> ChartShown:
        """A chart of a time; raises `BadFilter`."""
        since, until = filters.since or datetime.now(UTC), filters.until or datetime.now(UTC)
        stretch = stretch_for(since, until, step)
        conditions, given = conditions_of(filters)
        sql = _with_bucket(chart.sql, stretch).replace("[filters]", " AND ".join(conditions) or "1")
        rows = await self._questions.rows(sql, filters.parameters() | given)
        match chart.kind:
            case "rows":
                return _of_rows(chart, filters, rows)
            case "ages":
                return _of_ages(chart, filters, rows)
        return _of_times(chart, filters, rows, stretch, stretch.between(since, until))


def _with_bucket(sql: str, stretch: StretchOfTime) -> str:
    head, mark, rest = sql.partition("[bucket of ")
    if not mark:
        return sql
    column, _, rest = rest.partition("]")
    return head + stretch.bucket_of(column) + rest


def _of_times(
    chart: Chart,
    filters: Filters,
    found: Sequence[Mapping[str, Any]],
    stretch: StretchOfTime,
    beginnings: Sequence[datetime],
) -> ChartShown:
    given: dict[datetime, dict[str, Any]] = {}
    if chart.series:
        series = [(each.column, each.words) for each in chart.series]
        given = {row["bucket"]: dict(row) for row in found}
    else:
        series = [(name, name) for name in _busiest(found)]
        named = {name for name, _ in series}
        for row in found:
            values = given.setdefault(row["bucket"], {})
            name = row["series"] if row["series"] in named else OTHER_SERIES
            values[name] = values.get(name, 0) + row["value"]
    nothing = None if chart.is_duration else 0
    rows = []
    for at in beginnings:
        held = given.get(at, {})
        rows.append(
            ChartRow(
                words=at.strftime(stretch.form),
                query=_query(
                    filters, chart, at, min(stretch.next_beginning(at), filters.until or at)
                ),
                values=[_number(held.get(name), nothing) for name, _ in series],
                beside=[_number(held.get(each.column), nothing) for each in chart.beside],
            )
        )
    names = [words or "none" for _, words in series]
    shown = ChartShown(
        chart=chart, filters=filters, step=stretch.name, series=names, rows=rows, plot=None
    )
    return msgspec.structs.replace(
        shown, plot=_plot(shown, [at.strftime(stretch.short) for at in beginnings])
    )


def _of_ages(chart: Chart, filters: Filters, found: Sequence[Mapping[str, Any]]) -> ChartShown:
    given = {row["band"]: row for row in found}
    rows = [
        ChartRow(
            words=words,
            query="",
            values=[given.get(band, {}).get(each.column, 0) for each in chart.series],
            beside=[given[band]["oldest"] if band in given else None],
        )
        for band, words in enumerate(AGES)
    ]
    series = [each.words for each in chart.series]
    shown = ChartShown(chart=chart, filters=filters, step="", series=series, rows=rows, plot=None)
    return msgspec.structs.replace(shown, plot=_plot(shown, list(AGES)))


def _of_rows(chart: Chart, filters: Filters, found: Sequence[Mapping[str, Any]]) -> ChartShown:
    rows = [
        ChartRow(
            words=f"{row['state'] or 'not taken up'} {row['code']}".strip(),
            query=filters.query(state=row["state"], code=row["code"]) if row["state"] else "",
            values=[row[each.column] for each in chart.series],
            beside=[row["words"]],
        )
        for row in found
    ]
    series = [each.words for each in chart.series]
    return ChartShown(chart=chart, filters=filters, step="", series=series, rows=rows, plot=None)


def _plot(shown: ChartShown, columns: list[str]) -> Plot:
    chart = shown.chart
    hits = [
        f"{row.words}: "
        + ", ".join(
            f"{shown.words_of(value)} {name}"
            for name, value in zip(shown.series, row.values, strict=True)
            if value
        )
        if any(row.values)
        else ""
        for row in shown.rows
    ]
    return plot_of(
        columns,
        list(zip(*(row.values for row in shown.rows), strict=True)),
        words_of=words_of_hours if chart.is_duration else words_of_count,
        hits=hits,
        is_stacked=chart.kind != "lines",
        limit=chart.limit,
        unit=1,
    )


def _busiest(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """The series with the highest sums, and `others` where there are more."""
    sums: Counter[str] = Counter()
    for row in found:
        sums[row["series"]] += row["value"]
    names = sorted(sums, key=lambda name: (-sums[name], name))
    return names if len(names) <= MOST_SERIES + 1 else [*names[:MOST_SERIES], OTHER_SERIES]


def _number(value: Any, nothing: float | None) -> float | None:
    """A value; a quantile of nothing is NaN, and none."""
    if value is None or value != value:
        return nothing
    return float(value) if isinstance(value, float) else int(value)


def _query(filters: Filters, chart: Chart, since: datetime, until: datetime) -> str:
    """What the list is asked for to show a stretch of the chart."""
    named = {
        name: value
        for name, value in filters.given().items()
        if name in chart.filters and name not in ("from", "to")
    }
    form = "%Y-%m-%dT%H:%M:%S"
    return urlencode({"from": since.strftime(form), "to": until.strftime(form)} | named)
