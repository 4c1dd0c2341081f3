"""What is to be reviewed, as SQL: messages, and without their text those that wait for credits."""

from __future__ import annotations

from typing import Final

from pipeline.store.report.lists.filled import filled

REVIEW_SQL: Final = filled(
    """\
SELECT * FROM
(
    SELECT at, handset, toString(lines.number) AS number, text, flags, id
    FROM twoway.review_line_rows AS lines FINAL WHERE [of at, lines.number]
    UNION ALL
    SELECT at, '' AS handset, toString(held.number) AS number, '' AS text, flags, charge_id
    FROM twoway.account_held AS held WHERE has(flags, 'review') AND [of at, held.number]
)
WHERE id NOT IN (SELECT mo_message_id FROM twoway.consent_request_rows
    WHERE action IN ('accept', 'dismiss'))"""
)
