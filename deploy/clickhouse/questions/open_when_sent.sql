-- Was this handset open when command X was sent?
--
--   twoway sql "$(cat open_when_sent.sql)" --param command_id=…, or POST {report}/sql as JSON:
--   {"query": "…", "parameters": {"command_id": "…"}}
--
-- One row. `open_as_we_knew` is the answer by what had been recorded when the command was decided: it
-- is 1 for every reply that the gate let pass. `open_as_it_was` is the answer by all that is known today:
-- a STOP that reached us late, but was sent before, makes it 0. `because` has the rows it rests on.
-- Without a row there is no such command.
--
-- The view judged_command says how the two answers are found. The handset is named beside the command
-- because only then the changes of this handset alone are read.

SELECT *
FROM judged_command
WHERE command_id = {command_id:String}
    AND handset IN (SELECT handset FROM mt_command WHERE command_id = {command_id:String})
