-- What was a handset's consent at a time, by what we knew at another?
--
--   POST {report}/sql as JSON:
--   {"query": "…", "parameters": {"handset": "447700900001", "at": "2026-03-29T12:00:00Z",
--    "known_at": "2026-03-29T18:00:00Z"}}
--
-- A row for every scope that had changed by then: what was true at `at`, as it was recorded by
-- `known_at`. The same time twice is what the gate went by, `at` then and `known_at` today is what was
-- true. A number without a row is answered by its account's, and open where that has none.

SELECT
    scope_kind, scope, state, gateway_state, rule, mo_message_id, actor, reason,
    at AS true_since, recorded_at AS known_since
FROM consent_change
WHERE handset = {handset:String}
    AND at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')
    AND recorded_at <= parseDateTime64BestEffort({known_at:String}, 3, 'UTC')
ORDER BY scope_kind, scope, at DESC, recorded_at DESC, kafka_offset DESC
LIMIT 1 BY scope_kind, scope
