-- What was sent to a handset that, as we learned later, had stopped before?
--
--   POST {report}/sql as JSON: {"query": "…", "parameters": {"since": "2026-03-01T00:00:00Z"}}
--
-- A row for every reply since then that the gate rightly let pass, and that it would have refused had
-- the gateway's callback not been late: `because` has the message, when it was sent (`at`) and when we
-- knew (`recorded_at`). Without rows there was none. How the two answers are found is said
-- with the view judged_command.

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
