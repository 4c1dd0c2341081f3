-- What was a handset's consent at a time, by what we knew at another?
--
--   POST {report}/sql as JSON:
--   {"query": "…", "parameters": {"handset": "447700900001", "at": "2026-03-29T12:00:00Z",
--    "known_at": "2026-03-29T18:00:00Z"}}
--
-- There is a row for every scope that had changed by `at`: its consent at `at`, from the rows recorded
-- up to `known_at`. With the same time for both, it is the consent that the gate used. With `known_at`
-- today, it is the consent that was true. A number without a row has the consent of its account; if the
-- account has no row either, no change of it is stored. No row at all: nothing is known of the handset.

SELECT
    scope_kind, scope, state, gateway_state, rule, mo_message_id, actor, reason,
    at AS true_since, recorded_at AS known_since
FROM consent_change
WHERE handset = {handset:String}
    AND at <= parseDateTime64BestEffort({at:String}, 3, 'UTC')
    AND recorded_at <= parseDateTime64BestEffort({known_at:String}, 3, 'UTC')
ORDER BY scope_kind, scope, at DESC, recorded_at DESC, kafka_offset DESC
LIMIT 1 BY scope_kind, scope
