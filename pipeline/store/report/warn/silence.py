"""A number of ours from which nothing arrives any more, though at this time of day it usually does.

A number is silent where the same hours of the seven days before had six messages or more on
average: by a Poisson process there would be none by chance once in 400 times.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from pipeline.store.report.lists.filters import words_for_clickhouse
from pipeline.store.report.warn.warning import OperatorWarning, counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pipeline.store.report.warn.warning import AskRows

SILENT_NUMBERS: Final = "silent-numbers"
_EXPECTED: Final = 6
_DAYS: Final = 7
#: On fewer days it spoke at these hours: that is no habit.
_DAYS_OF_HABIT: Final = 3
_LONGEST_HOURS: Final = 24
_NAMED: Final = 3
_HOURS: Final = """\
SELECT toString(lines.number) AS number, intDiv(dateDiff('second', at, moment), 3600) AS ago,
    count() AS messages
FROM (SELECT at, number, {moment:DateTime64(3, 'UTC')} AS moment
    FROM twoway.conversation_line_rows
    WHERE record = 'mo-message' AND at > moment - INTERVAL 8 DAY AND at <= moment) AS lines
WHERE number IN
(
    SELECT number FROM twoway.conversation_line_rows
    WHERE record = 'mo-message' AND at > {moment:DateTime64(3, 'UTC')} - INTERVAL 8 DAY
    GROUP BY number ORDER BY count() DESC LIMIT 200
)
GROUP BY number, ago"""


async def silent_numbers(ask: AskRows, now: datetime) -> OperatorWarning | None:
    """Numbers that usually receive messages at this time, and receive none."""
    of_numbers: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row in await ask(_HOURS, {"moment": words_for_clickhouse(now)}):
        of_numbers[row["number"]][row["ago"]] = row["messages"]
    silent = {
        number: hours for number, held in of_numbers.items() if (hours := silent_hours(held)) > 0
    }
    if not silent:
        return None
    names = sorted(silent, key=lambda number: (-silent[number], number))
    first = [f"{name} for {counted(silent[name], 'hour', 'hours')}" for name in names[:_NAMED]]
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return OperatorWarning(
        name=SILENT_NUMBERS,
        words="Nothing arrives from numbers that usually speak at this time:"
        f" {', '.join(first)}{more}",
        count=len(names),
        link="list/messages?" + urlencode({"number": names[0]}),
        is_urgent=True,
    )


def silent_hours(messages: Mapping[int, int]) -> int:
    """The hours of a silence that is not usual, else 0; `messages` by how many hours ago they came.

    After a day without a message the same day before is no measure, so 24 hours are looked at.
    """
    hours = min(messages, default=0)
    looked_at = min(hours, _LONGEST_HOURS)
    days = [
        sum(messages.get(day * 24 + hour, 0) for hour in range(looked_at))
        for day in range(1, _DAYS + 1)
    ]
    spoke = [each for each in days if each]
    if len(spoke) < _DAYS_OF_HABIT or sum(days) / _DAYS < _EXPECTED:
        return 0
    return hours
