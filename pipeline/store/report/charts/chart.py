"""What a chart is: a question to ClickHouse, and how its answer is drawn."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from pipeline.store.report.lists.filters import FEW

#: Filters of a chart of something that no line of a conversation has.
FOR_TIMES: Final = frozenset({"from", "to", "step"})
FOR_NUMBERS: Final = FOR_TIMES | {"number"}
#: Charts of lines take these too. A handset is no filter: a chart is not of one person.
FOR_LINES: Final = FOR_NUMBERS | {"api_id", "account", "keyword"}
#: Those that a chart shares with the lists that it links to.
SHARED: Final = FEW - {"handset"}
#: More series than these are added up as `others`: a reader tells no more colours apart.
MOST_SERIES: Final = 6
OTHER_SERIES: Final = "others"


class ChartSeries(msgspec.Struct, frozen=True):
    """A column of the answer, and what it is called."""

    column: str
    words: str


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart, its question and its table.

    `stacked` and `lines` are over time: the answer has a column `bucket`, and either `series` and
    `value`, or the columns of `series`. `ages` are over lengths of time, and of now. `rows` are one
    bar for each row of the answer.
    """

    name: str
    title: str
    about: str
    empty: str
    kind: Literal["stacked", "lines", "ages", "rows"]
    sql: str
    series: tuple[ChartSeries, ...] = ()
    #: Columns that the table has beside those of the series.
    beside: tuple[ChartSeries, ...] = ()
    series_name: str = ""
    filters: frozenset[str] = FOR_NUMBERS
    #: The list that a stretch of time, or a row, is shown in.
    listing: str = ""
    #: The listing's parameter that is named as the series is.
    series_filter: str = ""
    #: Topics after whose records it is another.
    topics: str = ""
    is_duration: bool = False  # values are hours
    limit: tuple[float, str] | None = None

    @property
    def is_of_now(self) -> bool:
        """Whether it shows what holds now, and not what happened in a time."""
        return self.kind == "ages"
