-- Every command with two answers: was its handset open, as we knew when it was decided, and as it was?
--
-- A scope of the sender's that has rows decides; where none has, its account does. Of a scope's rows
-- the one with the latest `at` counts, of several the one recorded last: within one millisecond the
-- offset tells, for all rows of a handset are of one partition. `because` has the rows it rests on.
-- Ask for some handsets (`handset IN …`) beside what else you ask: the changes of all are read else.

CREATE VIEW IF NOT EXISTS twoway.judged_command AS
WITH
    judged AS
    (
        SELECT command_id, handset, sender_id, purpose, at AS sent_at, arrayJoin(scopes) AS one
        FROM twoway.mt_command
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
        LEFT JOIN twoway.consent_change AS changes
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
GROUP BY command_id, handset, sender_id, purpose, sent_at;
