"""Charts of how commands stand: by state and code, and what waits."""

from __future__ import annotations

from typing import Final

from pipeline.store.report.charts.chart import FOR_LINES, Chart, ChartSeries
from pipeline.store.report.lists.filled import filled

FATES: Final = Chart(
    name="delivery",
    title="What became of messages out",
    about="Commands of this time by how they stand now, and the gateway's last code.",
    empty="Nothing passed the gate in this time.",
    kind="rows",
    series=(ChartSeries("commands", "messages"),),
    beside=(ChartSeries("state", "state"), ChartSeries("code", "code"),
            ChartSeries("words", "the gateway's words")),
    filters=FOR_LINES - {"step"},
    listing="sent",
    topics="mt-state mt-command",
    sql="""\
WITH asked AS
(
    SELECT DISTINCT key FROM twoway.conversation_line_rows AS lines
    WHERE record = 'mt-command' AND [filters]
)
SELECT now.state AS state, now.code AS code, any(now.words) AS words, count() AS commands
FROM asked
LEFT JOIN
(
    SELECT key, argMax(toString(state), kafka_offset) AS state,
        argMax(toString(code), kafka_offset) AS code, argMax(words, kafka_offset) AS words
    FROM twoway.mt_last_state_rows WHERE key IN (SELECT key FROM asked) GROUP BY key
) AS now ON now.key = asked.key
GROUP BY state, code ORDER BY commands DESC, state, code LIMIT 40""",
)  # fmt: skip
STILL_WAITING: Final = Chart(
    name="waiting",
    title="Waiting to be sent, by age",
    about="Commands that are neither sent nor refused now, by how long ago they passed the gate.",
    empty="Nothing waits to be sent.",
    kind="ages",
    series=(
        ChartSeries("new", "not taken up"),
        ChartSeries("waiting", "waiting"),
        ChartSeries("permitted", "permitted"),
        ChartSeries("unknown", "unknown"),
    ),
    beside=(ChartSeries("oldest", "the oldest passed the gate"),),
    filters=frozenset({"number"}),
    listing="sent",
    topics="mt-state mt-command",
    sql=filled(
        """\
WITH (SELECT greatest(now64(3, 'UTC'), max(at)) FROM twoway.conversation_line_rows) AS moment,
standing AS
(
    SELECT key, argMax(toString(state), kafka_offset) AS state FROM twoway.mt_last_state_rows
    WHERE key IN (SELECT key FROM twoway.mt_last_state_rows
        WHERE state IN ('waiting', 'permitted', 'unknown'))
    GROUP BY key HAVING state IN ('waiting', 'permitted', 'unknown')
),
fresh AS
(
    SELECT key, at, number FROM twoway.conversation_line_rows
    WHERE record = 'mt-command' AND at >= moment - INTERVAL 3 DAY
),
open AS
(
    SELECT DISTINCT key, at, number, standing.state AS state
    FROM twoway.conversation_line_rows AS lines
    INNER JOIN standing ON standing.key = lines.key
    WHERE record = 'mt-command' AND key IN (SELECT key FROM standing)
    UNION ALL
    SELECT DISTINCT key, at, number, 'new' AS state FROM fresh
    WHERE key NOT IN (SELECT key FROM twoway.mt_last_state_rows
            WHERE key IN (SELECT key FROM fresh))
        AND key IN (SELECT MD5(command_id) FROM twoway.mt_command_rows
            WHERE not_after > moment AND at >= moment - INTERVAL 3 DAY)
        AND key NOT IN (SELECT MD5(command_id) FROM twoway.mt_rejection_rows
            WHERE command_id != '' AND at >= moment - INTERVAL 3 DAY)
)
SELECT multiIf(age < 60, 0, age < 600, 1, age < 3600, 2, age < 21600, 3, age < 86400, 4, 5) AS band,
    countIf(state = 'new') AS new, countIf(state = 'waiting') AS waiting,
    countIf(state = 'permitted') AS permitted, countIf(state = 'unknown') AS unknown,
    min(at) AS oldest
FROM (SELECT at, state, dateDiff('second', at, moment) AS age FROM open AS lines
    WHERE [number lines.number])
GROUP BY band"""
    ),
)
#: The words of each `band` of `STILL_WAITING`.
AGES: Final = ("under 1 min", "to 10 min", "to 1 h", "to 6 h", "to 1 day", "over 1 day")
