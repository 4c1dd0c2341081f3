-- Was this handset open when command X was sent?
--
--   twoway sql "$(cat open_when_sent.sql)" --param command_id=…, or POST {report}/sql as JSON:
--   {"query": "…", "parameters": {"command_id": "…"}}
--
-- There is one row. `open_as_we_knew` is the answer by the rows that had been recorded when the command
-- was decided: it is 1 for every reply that the gate let pass. `open_as_it_was` is the answer by all rows
-- known today: a STOP that was sent before the command but reached us later makes it 0. `because` has
-- the rows from which it follows. No row means that there is no such command.
--
-- The view judged_command says how the two answers are computed. The query names the handset too, so
-- that ClickHouse reads only the changes of this handset.

SELECT *
FROM judged_command
WHERE command_id = {command_id:String}
    AND handset IN (SELECT handset FROM mt_command WHERE command_id = {command_id:String})
