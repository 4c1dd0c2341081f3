"""What each column means: the text of the data dictionary, and the comments in ClickHouse.

A column of a record is described by its schema, the rest here. Comments are set at each start,
where they differ: a view that a migration made anew has none.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Final

from pipeline.avro.single_object import SCHEMAS, versions_of
from pipeline.store.clickhouse.account_meanings import ACCOUNT_VIEWS

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

#: Columns that no schema file describes.
COLUMNS_OF_ALL: Final = {
    "kafka_partition": "The partition of the Kafka record.",
    "kafka_offset": "The offset of the Kafka record.",
    "written_at": "When Kafka took the record.",
    "handset": "The key of the Kafka record: the handset's digits.",
    "known": "Whether the record could be read.",
}
TWO_WAY: Final = {
    "at": "MO: gateway time. MT: when it was decided. UTC.",
    "direction": "`MO` or `MT`.",
    "handset": "The handset's digits.",
    "number": "MO: the number texted. MT: the sender ID.",
    "text": "The text; empty for an MT that was refused.",
    "id": "`message_id`, `command_id` or `rejection_id`.",
    "note": "MO: what is odd. MT: its purpose and what became of it, or why it was refused.",
}
JUDGED_COMMAND: Final = {
    "command_id": "The command.",
    "handset": "The handset's digits.",
    "sender_id": "The sender ID of the command.",
    "purpose": "`reply`, `confirmation`, `custom-reply` or `help`.",
    "sent_at": "When the command was decided. UTC.",
    "open_as_we_knew": "1: the handset was open, by the changes recorded until the decision.",
    "open_as_it_was": "1: the handset was open at that time, by all changes recorded until now.",
    "because": "The changes of consent from which `open_as_it_was` follows.",
}
CONVERSATION_LINE: Final = {
    "at": "MO: gateway time. MT: when it was decided. UTC.",
    "id": "`message_id`, `command_id` or `rejection_id`.",
    "record": "`mo-message`, `mt-command` or `mt-rejection`: the topic of which the line is.",
    "direction": "`MO` or `MT`.",
    "handset": "The handset's digits.",
    "number": "MO: the number texted. MT: the sender ID.",
    "api_id": "The api_id that received it, or is to send it.",
    "account": "The account.",
    "way": "MO: the way it came. MT: empty; each attempt is in `mt_result`.",
    "keyword": "MO: its first word, in capitals, at most 32 characters. MT: the command's keyword.",
    "text": "The text; empty for an MT that was refused: its text is in `mt_request`.",
    "encoding": "MO: its charset. MT: `gsm7` or `ucs2`.",
    "parts": "How many parts it has.",
    "parts_missing": "The numbers of the parts that never came.",
    "complete": "Whether every part is there.",
    "lossy": "Whether something of it could not be decoded.",
    "flags": "What is odd about an MO.",
    "purpose": "Of a command: `reply`, `confirmation`, `custom-reply` or `help`.",
    "rule": "Of a refusal: the rule that refused.",
    "detail": "Of a refusal: more words.",
    "request_id": "The request of an MT.",
    "command_id": "The command, also of a refusal of one that had waited.",
    "stored_at": "When the row was written.",
}
DELIVERY_NOW: Final = {
    "delivery_id": "The delivery.",
    "path": "The reply path.",
    "kind": "`message`, `part`, `consent` or `result`.",
    "subject_id": "The id of what is handed on.",
    "handset": "The handset's digits.",
    "number": "Our number.",
    "state": "`waiting`, `ordered`, `delivered` or `given-up`.",
    "attempts": "Attempts so far.",
    "due_at": "When the next attempt falls due. UTC.",
    "status": "What the application answered last: three digits, or nothing.",
    "words": "What went wrong last.",
    "duration_ms": "How long the last attempt took.",
    "decided_at": "When the agent last decided. UTC.",
    "seen_at": "When the last attempt ended. UTC.",
}
#: Views with the columns of a record of another name.
RECORD_OF: Final = {"mt_now": "mt_state"}
#: Views that are of no single record.
VIEWS: Final = {
    "two_way": TWO_WAY,
    "judged_command": JUDGED_COMMAND,
    "conversation_line": CONVERSATION_LINE,
    "delivery_now": DELIVERY_NOW,
    **ACCOUNT_VIEWS,
}
_COLUMNS: Final = """\
SELECT c.table AS table, c.name AS name, c.comment AS comment FROM system.columns AS c
JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = 'twoway' AND t.engine = 'View' ORDER BY c.table, c.position"""


def meaning_of(view: str, column: str) -> str:
    """What a column means; raises `KeyError` if nothing describes the column."""
    if view in VIEWS:
        return VIEWS[view].get(column) or COLUMNS_OF_ALL[column]
    return _documented(RECORD_OF.get(view, view)).get(column) or COLUMNS_OF_ALL[column]


def comment_columns(client: Client) -> None:
    """Give each column of each view its meaning as a comment, where it has another."""
    changes: dict[str, list[str]] = {}
    for view, column, comment in client.query(_COLUMNS).result_rows:
        try:
            wanted = meaning_of(view, column)
        except KeyError:
            continue  # a view that is not ours
        if comment != wanted:
            quoted = wanted.replace("\\", "\\\\").replace("'", "\\'")
            changes.setdefault(view, []).append(f"COMMENT COLUMN `{column}` '{quoted}'")
    for view, comments in changes.items():
        client.command(f"ALTER TABLE twoway.{view} {', '.join(comments)}")


@cache
def _documented(record: str) -> dict[str, str]:
    """Field -> meaning, of a record's newest schema; nothing where there is no such record."""
    if not (SCHEMAS / record).is_dir():
        return {}
    newest = json.loads(versions_of(SCHEMAS / record)[-1].read_text())
    return {field["name"]: field.get("doc", "") for field in newest["fields"]}
