-- Commands of which nobody knows whether they were sent, the oldest first; `since` is a time.
-- `twoway mt resolve COMMAND_ID` says what became of one.
SELECT command_id, handset, state, attempt, code, words, at AS unknown_since
FROM twoway.mt_now
WHERE (handset, command_id) IN
(
    SELECT handset, command_id FROM twoway.mt_state_rows
    WHERE state = 'unknown' AND at >= parseDateTime64BestEffort({since:String}, 3, 'UTC')
)
AND state = 'unknown'
ORDER BY at, command_id
