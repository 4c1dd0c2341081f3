"""The generated pages of `docs/`: `python -m tests.contract.documents` writes them.

`docs/settings.md` comes from the settings class. `docs/data.md` comes from the schema files, from
`schemas/topics.toml`, and from the columns that the ClickHouse engine reports.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.avro.single_object import SCHEMAS, versions_of
from pipeline.kafka.topics import topics
from pipeline.settings import PREFIX, Settings
from pipeline.store.clickhouse.database import DATABASE, Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCS: Final = Path(__file__).parents[2] / "docs"
#: Columns that no schema file describes, with their meaning.
COLUMNS: Final = {
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
VIEWS: Final = {"two_way": TWO_WAY, "judged_command": JUDGED_COMMAND, "delivery_now": DELIVERY_NOW}
KEYS: Final = {
    "handset": "the handset's digits, murmur2",
    "partition": "one record a partition",
    "suppression": "the suppression, in the handset's partition",
    "none": "none",
}
Columns = list[tuple[str, str]]


def settings_page(kind: Any = Settings) -> str:
    """Every setting with its variable, its default and its line of help."""
    rows = [
        f"| `{field.name}` | `{PREFIX}{field.name.upper()}` | {_shown(field.default)}"
        f" | {field.metadata['help']} |"
        for field in dataclasses.fields(kind)
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "A process takes a setting `x` from the first of these places that gives it:",
            "",
            "1. the command line,",
            "2. a line `x = …` of the file that `secrets_file` names,",
            "3. the variable `TWOWAY_X`,",
            "4. a line `x = …` of `settings.toml` under the home,",
            "5. the default.",
            "",
            "A process refuses to start with an unknown setting.",
            "`python -m tests.contract.documents` generates this page.",
            "",
            "| setting | variable | default | what it is |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def data_page(views: Mapping[str, Columns]) -> str:
    """Every field of every topic, and every column of every view of `views`."""
    lines = [
        "# Data dictionary",
        "",
        "Records are in Avro single-object encoding ([schemas](../schemas/README.md)). Read the",
        "topics with `isolation.level=read_committed`. ClickHouse has a view for each record. The",
        "view has the name of the topic, with `_` in place of `-`. A view shows each event once.",
        "Times are UTC. `python -m tests.contract.documents` generates this page.",
        "",
        "## Topics",
        "",
    ]
    for topic in topics().values():
        if topic.record:
            lines += _topic(topic.name)
    lines += ["## Views", ""]
    for name, columns in sorted(views.items()):
        lines += _view(name, columns)
    return "\n".join(lines)


def views_of(database: Database) -> dict[str, Columns]:
    """Columns and types of every view, as the engine reports them."""
    found: dict[str, Columns] = {}
    rows = database.writing.query(
        "SELECT c.table, c.name, c.type FROM system.columns AS c"
        " JOIN system.tables AS t ON t.database = c.database AND t.name = c.table"
        " WHERE c.database = {database:String} AND t.engine = 'View'"
        " ORDER BY c.table, c.position",
        parameters={"database": DATABASE},
    ).result_rows
    for table, column, kind in rows:
        found.setdefault(str(table), []).append((str(column), str(kind)))
    return found


def fields_of(record: str) -> dict[str, tuple[str, str, int]]:
    """Name -> (type, meaning, first version) of a record's newest schema."""
    since: dict[str, int] = {}
    fields: list[dict[str, Any]] = []
    for path in versions_of(SCHEMAS / record):
        fields = json.loads(path.read_text())["fields"]
        for field in fields:
            since.setdefault(field["name"], int(path.stem))
    return {
        field["name"]: (_type(field["type"]), field.get("doc", ""), since[field["name"]])
        for field in fields
    }


def _topic(name: str) -> list[str]:
    topic = topics()[name]
    newest = json.loads(versions_of(SCHEMAS / topic.record)[-1].read_text())
    kept = f"{topic.retention_days} days" if topic.retention_days > 0 else "for good"
    lines = [
        f"### `{name}`",
        "",
        f"{newest.get('doc', '')} Partition by: {KEYS[topic.key]}. Kept: {kept}.",
        "",
        "| field | type | meaning |",
        "|---|---|---|",
    ]
    for field, (kind, doc, version) in fields_of(topic.record).items():
        since = f" Since version {version}." if version > 1 else ""
        lines.append(f"| `{field}` | {kind} | {_cell(doc)}{since} |")
    return [*lines, ""]


def _view(name: str, columns: Sequence[tuple[str, str]]) -> list[str]:
    record = RECORD_OF.get(name, name)
    known = fields_of(record) if (SCHEMAS / record).is_dir() else {}
    lines = [f"### `{DATABASE}.{name}`", "", "| column | type | meaning |", "|---|---|---|"]
    for column, kind in columns:
        lines.append(f"| `{column}` | `{kind}` | {_cell(meaning(name, column, known))} |")
    return [*lines, ""]


def meaning(view: str, column: str, known: Mapping[str, tuple[str, str, int]]) -> str:
    """What a column means; raises `KeyError` if nothing describes the column."""
    if view in VIEWS:
        return VIEWS[view][column]
    return known[column][1] if column in known else COLUMNS[column]


def _type(schema: Any) -> str:
    match schema:
        case {"logicalType": "timestamp-micros"}:
            return "time"
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
        case {"type": "record", "name": name}:
            return str(name)
        case ["null", other]:
            return f"{_type(other)} or null"
    return str(schema)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _shown(default: Any) -> str:
    return f"`{default}`" if str(default) else "none"


def main() -> None:
    """Write the pages."""
    with tempfile.TemporaryDirectory() as folder, Database(Settings(home=Path(folder))) as database:
        (DOCS / "data.md").write_text(data_page(views_of(database)))
    (DOCS / "settings.md").write_text(settings_page())


if __name__ == "__main__":
    main()
