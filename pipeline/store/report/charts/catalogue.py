"""The charts, in the order of their page."""

from __future__ import annotations

from typing import Final

from pipeline.store.report.charts.chart import (
    FOR_LINES,
    FOR_TIMES,
    Chart,
    ChartSeries,
)
from pipeline.store.report.charts.of_states import FATES, STILL_WAITING
from pipeline.store.report.lists.filled import filled

#: Hours within which the gateway wants a stop to be confirmed (G7.1.1).
CONFIRMATION_HOURS: Final = 6
_SENT: Final = "('submitted', 'delivered', 'undelivered')"
_OPEN: Final = "('open', 'open')"

VOLUME: Final = Chart(
    name="volume",
    title="Messages in, by number",
    about="How many messages each number received: the busiest six, and the others together.",
    empty="Nothing was received in this time.",
    kind="stacked",
    series_name="number",
    filters=FOR_LINES,
    listing="messages",
    series_filter="number",
    topics="mo-message",
    sql="""\
SELECT [bucket of at] AS bucket, toString(lines.number) AS series, count() AS value
FROM twoway.conversation_line_rows AS lines FINAL
WHERE record = 'mo-message' AND [filters]
GROUP BY bucket, series""",
)
IN_AND_OUT: Final = Chart(
    name="in-and-out",
    title="In against out",
    about="Messages in; MT requests that passed the gate, and those that it refused.",
    empty="Nothing was received or asked for in this time.",
    kind="lines",
    series=(
        ChartSeries("received", "in"),
        ChartSeries("passed", "let pass"),
        ChartSeries("refused", "refused"),
    ),
    filters=FOR_LINES,
    listing="lines",
    topics="mo-message mt-command mt-rejection",
    sql="""\
SELECT [bucket of at] AS bucket, countIf(record = 'mo-message') AS received,
    countIf(record = 'mt-command') AS passed, countIf(record = 'mt-rejection') AS refused
FROM twoway.conversation_line_rows AS lines FINAL
WHERE [filters]
GROUP BY bucket""",
)
STOPS: Final = Chart(
    name="stops",
    title="Stops and re-enables",
    about=(
        "Handsets of which something was stopped that was open on both sides before, and handsets"
        " of which something is open on both sides again. By the time when it was recorded."
    ),
    empty="No consent changed in this time.",
    kind="lines",
    series=(ChartSeries("stopped", "stopped"), ChartSeries("enabled", "re-enabled")),
    listing="opt-outs",
    topics="consent-change",
    sql=filled(
        f"""\
SELECT [bucket of recorded_at] AS bucket,
    uniqExactIf(handset, (previous_state, previous_gateway_state) = {_OPEN}
        AND (state, gateway_state) != {_OPEN}) AS stopped,
    uniqExactIf(handset, (previous_state, previous_gateway_state) != {_OPEN}
        AND (state, gateway_state) = {_OPEN}) AS enabled
FROM twoway.consent_change_rows AS changes
WHERE [of recorded_at, changes.number]
GROUP BY bucket"""  # noqa: S608  names of ours
    ),
)
#: Percentiles are those of the nearest rank: the least time within which so many were.
CONFIRMATIONS: Final = Chart(
    name="confirmations",
    title="Time to confirmation",
    about=(
        "From a stop's time to when the gateway had our confirmation: half of them were sooner than"
        " the lower line, nine of ten sooner than the upper. After six hours the gateway confirms"
        " by itself, and bills it (G7.1.1)."
    ),
    empty="No stop in this time had to be confirmed.",
    kind="lines",
    series=(ChartSeries("p50", "half within"), ChartSeries("p90", "nine of ten within")),
    beside=(
        ChartSeries("longest", "longest"),
        ChartSeries("due", "stops to confirm"),
        ChartSeries("confirmed", "confirmed by us"),
        ChartSeries("late", "after six hours"),
    ),
    listing="opt-outs",
    topics="consent-change mt-state",
    is_duration=True,
    limit=(CONFIRMATION_HOURS, "6 h: the gateway confirms"),
    sql=filled(
        f"""\
SELECT [bucket of stop.at] AS bucket, count() AS due, countIf(is_sent) AS confirmed,
    countIf(hours > {CONFIRMATION_HOURS} AND is_sent) AS late,
    arraySort(groupArrayIf(hours, is_sent)) AS sorted,
    if(confirmed = 0, NULL, sorted[toUInt32(ceil(confirmed * 0.5))]) AS p50,
    if(confirmed = 0, NULL, sorted[toUInt32(ceil(confirmed * 0.9))]) AS p90,
    if(confirmed = 0, NULL, sorted[confirmed]) AS longest
FROM
(
    SELECT stop.since_at AS at, toUnixTimestamp64Milli(confirmation.sent) > 0 AS is_sent,
        greatest(0, dateDiff('millisecond', stop.since_at, confirmation.sent)) / 3600000 AS hours
    FROM
    (
        SELECT handset, mo_message_id, min(at) AS since_at
        FROM twoway.consent_change_rows AS changes
        WHERE mo_message_id != '' AND state = 'confirmation-due'
            AND [of at, changes.number]
        GROUP BY handset, mo_message_id
    ) AS stop
    LEFT JOIN
    (
        SELECT command.handset AS handset, command.mo_message_id AS mo_message_id,
            min(state.at) AS sent
        FROM
        (
            SELECT DISTINCT handset, mo_message_id, command_id FROM twoway.mt_command_rows
            WHERE purpose IN ('confirmation', 'custom-reply') AND mo_message_id != ''
                AND at >= {{since:DateTime64(3, 'UTC')}}
        ) AS command
        INNER JOIN
        (
            SELECT handset, command_id, at FROM twoway.mt_state_rows
            WHERE state IN {_SENT} AND at >= {{since:DateTime64(3, 'UTC')}}
        ) AS state
        ON state.handset = command.handset AND state.command_id = command.command_id
        GROUP BY handset, mo_message_id
    ) AS confirmation
    ON confirmation.handset = stop.handset AND confirmation.mo_message_id = stop.mo_message_id
) AS stop
GROUP BY bucket"""  # noqa: S608  names of ours
    ),
)
LETTERS: Final = Chart(
    name="dead-letters",
    title="Dead letters, by reason",
    about="Input that was refused, and its retries. A dead letter names no number of ours.",
    empty="There were no dead letters in this time.",
    kind="stacked",
    series_name="reason",
    filters=FOR_TIMES,
    listing="dead-letters",
    series_filter="reason",
    topics="dead-letter",
    sql=filled(
        """\
SELECT [bucket of at] AS bucket, toString(reason) AS series, count() AS value
FROM twoway.dead_letter WHERE [in at] GROUP BY bucket, series"""
    ),
)
CHARTS: Final = {
    chart.name: chart
    for chart in (VOLUME, IN_AND_OUT, STOPS, CONFIRMATIONS, FATES, STILL_WAITING, LETTERS)
}
