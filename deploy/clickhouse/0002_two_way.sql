-- A conversation in order: what a handset said, what was sent to it, and what was not, and why.
--
-- An MO stands at its gateway time, an MT at the time it was decided. A refusal is a line of its own,
-- direction MT, with the rule in its note; its text is with the request (mt_request, by request_id).
-- Columns that are compared with a text are String on every branch.

CREATE VIEW IF NOT EXISTS twoway.two_way AS
SELECT at, direction, handset, number, text, id, note
FROM
(
    SELECT
        gateway_time AS at,
        'MO' AS direction,
        handset,
        toString(number) AS number,
        text,
        message_id AS id,
        arrayStringConcat(arrayFilter(word -> word != '', arrayConcat(
            [
                if(empty(parts_missing), '', concat('incomplete: ',
                    arrayStringConcat(arrayMap(part -> toString(part), parts_missing), ', '),
                    ' of ', toString(parts_total), ' missing')),
                if(lossy, 'lossy', '')
            ],
            arrayMap(flag -> toString(flag), flags))), '; ') AS note
    FROM twoway.mo_message_rows FINAL
    UNION ALL
    SELECT
        at,
        'MT' AS direction,
        handset,
        toString(sender_id) AS number,
        text,
        command_id AS id,
        toString(purpose) AS note
    FROM twoway.mt_command_rows FINAL
    UNION ALL
    SELECT
        at,
        'MT' AS direction,
        handset,
        toString(sender_id) AS number,
        '' AS text,
        rejection_id AS id,
        concat('refused: ', toString(rule), if(detail = '', '', concat(' (', detail, ')'))) AS note
    FROM twoway.mt_rejection_rows FINAL
)
ORDER BY at, handset, direction, id;
