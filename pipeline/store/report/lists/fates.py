"""What is looked up for lines: how each command stands, and the text of a refused request.

A page names its lines by their ids. An export names them by the conditions that chose them:
thousands of ids take longer to say than to find again.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = "twoway.conversation_line_rows"
LINES_THERE: Final = f"SELECT count() AS lines, min(at) AS oldest, max(at) AS newest FROM {TABLE}"  # noqa: S608  names of ours
#: `{keys}`: the column `key` of the commands, as a question.
_STATES: Final = """\
SELECT hex(key) AS of_key, toString(last.1) AS state, toString(last.2) AS code, last.3 AS words,
    toString(last.4) AS charge, last.5 AS state_at
FROM
(
    SELECT key, argMax((state, code, words, charge, at), kafka_offset) AS last
    FROM twoway.mt_last_state_rows
    WHERE key IN ({keys}) GROUP BY key
)"""
#: A request's text is that of the last one of its id before the refusal.
_REFUSED: Final = """\
WITH these AS (SELECT id, handset, request_id, command_id, at
    FROM twoway.conversation_line_rows WHERE {these} LIMIT 1 BY id)
SELECT id, if(any(command.text) != '', any(command.text),
    argMaxIf(request.text, request.kafka_offset, request.requested_at <= these.at)) AS text
FROM these
LEFT JOIN (SELECT handset, request_id, text, requested_at, kafka_offset FROM twoway.mt_request_rows
    WHERE (handset, request_id) IN (SELECT handset, request_id FROM these WHERE request_id != ''))
    AS request
ON request.handset = these.handset AND request.request_id = these.request_id
LEFT JOIN (SELECT handset, command_id, text FROM twoway.mt_command_rows
    WHERE (handset, command_id) IN (SELECT handset, command_id FROM these WHERE command_id != ''))
    AS command
ON command.handset = these.handset AND command.command_id = these.command_id
GROUP BY id"""
_WITHIN: Final = "at >= {first_at:DateTime64(3, 'UTC')} AND at <= {last_at:DateTime64(3, 'UTC')}"
_BY_IDS: Final = "id IN {ids:Array(String)}"

STATES_OF_IDS: Final = _STATES.replace("{keys}", "SELECT MD5(arrayJoin({ids:Array(String)}))")
REFUSED_OF_IDS: Final = _REFUSED.replace(
    "{these}", f"record = 'mt-rejection' AND {_WITHIN} AND {_BY_IDS}"
)


def states_within(conditions: str) -> str:
    """The states of the commands among the lines between two times that meet the conditions."""
    keys = f"SELECT key FROM {TABLE} WHERE record = 'mt-command' AND {_WITHIN} AND {conditions}"  # noqa: S608  names of ours
    return _STATES.replace("{keys}", keys)


def refused_within(conditions: str) -> str:
    """The texts of the refused requests among the lines between two times, by the line's id."""
    return _REFUSED.replace("{these}", f"record = 'mt-rejection' AND {_WITHIN} AND {conditions}")
