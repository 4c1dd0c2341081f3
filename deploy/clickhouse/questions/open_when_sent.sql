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
-- A scope of the sender's that has rows decides, where none has, its account does. Of a scope's rows
-- the one with the latest `at` counts, of several the one recorded last: within one millisecond the
-- offset tells, for all rows of a handset are of one partition.

WITH
    judged AS
    (
        SELECT command_id, handset, sender_id, purpose, at AS sent_at, arrayJoin(scopes) AS one
        FROM mt_command
        WHERE command_id = {command_id:String}
    ),
    known AS
    (
        SELECT
            judged.command_id AS command_id, judged.handset AS handset, judged.sender_id AS sender_id,
            judged.purpose AS purpose, judged.sent_at AS sent_at, judged.one.1 AS scope_kind,
            judged.one.2 AS scope,
            countIf(changes.scope != '' AND changes.at <= judged.sent_at) AS rows_today,
            countIf(changes.scope != '' AND changes.at <= judged.sent_at
                AND changes.recorded_at <= judged.sent_at) AS rows_then,
            argMaxIf((changes.state, changes.gateway_state, changes.rule, changes.mo_message_id,
                    changes.at, changes.recorded_at),
                (changes.at, changes.recorded_at, changes.kafka_offset),
                changes.at <= judged.sent_at) AS today,
            argMaxIf((changes.state, changes.gateway_state),
                (changes.at, changes.recorded_at, changes.kafka_offset),
                changes.at <= judged.sent_at AND changes.recorded_at <= judged.sent_at) AS then
        FROM judged
        LEFT JOIN
        (
            SELECT * FROM consent_change WHERE handset IN (SELECT handset FROM judged)
        ) AS changes
        ON changes.handset = judged.handset AND changes.scope_kind = judged.one.1
            AND changes.scope = judged.one.2
        GROUP BY command_id, handset, sender_id, purpose, sent_at, scope_kind, scope
    )
SELECT
    command_id, handset, sender_id, purpose, sent_at,
    if(countIf(scope_kind != 'account' AND rows_then > 0) > 0,
        countIf(scope_kind != 'account' AND rows_then > 0 AND then != ('open', 'open')) = 0,
        countIf(rows_then > 0 AND then != ('open', 'open')) = 0) AS open_as_we_knew,
    if(countIf(scope_kind != 'account' AND rows_today > 0) > 0,
        countIf(scope_kind != 'account' AND rows_today > 0
            AND (today.1, today.2) != ('open', 'open')) = 0,
        countIf(rows_today > 0 AND (today.1, today.2) != ('open', 'open')) = 0) AS open_as_it_was,
    groupArrayIf(
        CAST((scope_kind, scope, today.1, today.2, today.3, today.4, today.5, today.6),
            'Tuple(scope_kind String, scope String, state String, gateway_state String, rule String, mo_message_id String, at DateTime64(3, \'UTC\'), recorded_at DateTime64(3, \'UTC\'))'),
        rows_today > 0) AS because
FROM known
GROUP BY command_id, handset, sender_id, purpose, sent_at
