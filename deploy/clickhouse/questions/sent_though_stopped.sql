-- What was sent to a handset that, as we learned later, had stopped before?
--
--   POST {report}/sql as JSON: {"query": "…", "parameters": {"since": "2026-03-01T00:00:00Z"}}
--
-- There is a row for every reply since `since` that the gate rightly let pass, but would have refused if
-- the gateway's callback had been on time. `because` has the message, when it was sent (`at`) and when
-- we learned of it (`recorded_at`). No rows mean that there was no such reply. The view judged_command
-- says how the two answers are computed.

SELECT *
FROM judged_command
WHERE purpose = 'reply' AND sent_at >= parseDateTime64BestEffort({since:String}, 3, 'UTC')
    AND handset IN
    (
        SELECT handset FROM mt_command
        WHERE purpose = 'reply' AND at >= parseDateTime64BestEffort({since:String}, 3, 'UTC')
    )
    AND open_as_we_knew AND NOT open_as_it_was
ORDER BY sent_at, command_id
