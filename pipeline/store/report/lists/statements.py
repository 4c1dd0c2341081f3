"""What lists of consent and of dead letters ask of ClickHouse, and what their own filters ask."""

from __future__ import annotations

from typing import Final

from pipeline.store.report.lists.filled import filled

#: The own filters of lists of consent.
OF_CONSENT: Final = {
    "scope": "scope = {scope:String}",
    "state": "(state = {state:String} OR gateway_state = {state:String})",
    "rule": "rule = {rule:String}",
    "actor": "actor = {actor:String}",
}
CHANGES_SQL: Final = filled(
    """\
SELECT recorded_at, at, handset, scope_kind, scope, state, gateway_state, rule, actor, reason,
    toString(changes.number) AS number, mo_message_id, change_id
FROM twoway.consent_change AS changes
WHERE [of recorded_at, changes.number]"""
)
#: How each scope of each handset stands. A late event that changes the past only does not count.
STOPPED_NOW_SQL: Final = filled(
    """\
SELECT recorded_at, at, handset, scope_kind, scope, toString(now.state) AS state,
    toString(now.gateway_state) AS gateway_state, toString(now.rule) AS rule,
    toString(now.actor) AS actor, change_id
FROM
(
    SELECT handset, scope_kind, scope, state, gateway_state, rule, actor, number, at, recorded_at,
        change_id
    FROM twoway.consent_change_rows
    ORDER BY at DESC, recorded_at DESC, kafka_offset DESC LIMIT 1 BY handset, scope_kind, scope
) AS now
WHERE (now.state, now.gateway_state) != ('open', 'open') AND [of at, now.number]"""
)
DEAD_LETTERS_SQL: Final = filled(
    """\
SELECT at, retried_at, source, stage, reason, words, topic, partition, offset, dead_letter_id,
    arrayFirst(header -> header.name = 'twoway-retry-of', headers).value AS retry_of
FROM twoway.dead_letter
LEFT JOIN
(
    SELECT dead_letter_id, toNullable(min(at)) AS retried_at FROM twoway.dead_letter_retry
    GROUP BY dead_letter_id
) AS retries USING dead_letter_id
WHERE [in at]"""
)
