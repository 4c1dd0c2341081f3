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
#: How each scope of each handset stands: a late event that changes the past only does not count.
_STANDS: Final = """\
SELECT handset, scope_kind, scope,
    argMax((toString(state), toString(gateway_state), toString(rule), toString(actor), number, at,
        recorded_at, change_id), (at, recorded_at, kafka_offset)) AS now
FROM twoway.consent_change_rows GROUP BY handset, scope_kind, scope
HAVING (now.1, now.2) != ('open', 'open')"""
STOPPED_NOW_SQL: Final = filled(
    f"""\
SELECT now.7 AS recorded_at, now.6 AS at, handset, scope_kind, scope, now.1 AS state,
    now.2 AS gateway_state, now.3 AS rule, now.4 AS actor, now.8 AS change_id
FROM ({_STANDS}) WHERE [of at, now.5]"""  # noqa: S608  names of ours
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
