"""How much waits for somebody, and for how long: two gauges, for each kind of thing that waits.

What waits in another process is in its own metrics: commands in the sender's, deliveries in those
of `deliver`. `deploy/prometheus/rules.yml` joins them to one series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.store import metrics
from pipeline.store.report.lists.filters import words_for_clickhouse

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.store.report.warn.warning import AskRows

REVIEW: Final = "review"
UNKNOWN_RESULT: Final = "unknown-result"
CONFIRMATION: Final = "confirmation"
HELD: Final = "held"


class KindOfWaiting(msgspec.Struct, frozen=True):
    """`sql` gives one row: how many wait (`found`), and since when the oldest has (`oldest`).

    It may use the parameter `moment`, the time now.
    """

    name: str
    sql: str


KINDS_OF_WAITING: Final = (
    KindOfWaiting(
        REVIEW,
        """\
SELECT uniqExact(id) AS found, min(at) AS oldest FROM
(
    SELECT id, at FROM twoway.review_line_rows
    UNION ALL
    SELECT charge_id, at FROM twoway.account_held WHERE has(flags, 'review')
)
WHERE id NOT IN (SELECT mo_message_id FROM twoway.consent_request_rows
    WHERE action IN ('accept', 'dismiss'))""",
    ),
    KindOfWaiting(
        UNKNOWN_RESULT,
        """\
SELECT count() AS found, min(since) AS oldest FROM
(
    SELECT argMax(toString(state), kafka_offset) AS state, argMax(rows.at, kafka_offset) AS since
    FROM twoway.mt_last_state_rows AS rows
    WHERE key IN (SELECT key FROM twoway.mt_last_state_rows WHERE state = 'unknown')
    GROUP BY key
)
WHERE state = 'unknown'""",
    ),
    KindOfWaiting(
        CONFIRMATION,
        """\
SELECT count() AS found, min(now.2) AS oldest FROM
(
    SELECT argMax((toString(state), rows.at), (rows.at, recorded_at, kafka_offset)) AS now
    FROM twoway.consent_change_rows AS rows
    WHERE recorded_at > {moment:DateTime64(3, 'UTC')} - INTERVAL 7 HOUR
    GROUP BY handset, scope_kind, scope
)
WHERE now.1 = 'confirmation-due'""",
    ),
    KindOfWaiting(
        HELD,
        """\
SELECT sum(held) AS found, min(oldest_held_at) AS oldest FROM twoway.account_now
WHERE held > 0""",
    ),
)


async def show_waiting(ask: AskRows, now: datetime) -> None:
    """Set both gauges for each kind."""
    for kind in KINDS_OF_WAITING:
        given = {"moment": words_for_clickhouse(now)} if "{moment:" in kind.sql else None
        (row,) = await ask(kind.sql, given)
        age = (now - row["oldest"]).total_seconds() if row["found"] else 0.0
        metrics.WAITING.labels(kind.name).set(row["found"])
        metrics.OLDEST_WAITING.labels(kind.name).set(max(0.0, age))
