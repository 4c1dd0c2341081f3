"""The generated files of `docs/`: `python -m tests.contract.documents` writes them.

`docs/asyncapi.yaml` comes from `schemas/` and the lists of readers. `docs/openapi.yaml` comes from
ingest.
`docs/settings.md` comes from the settings class. `docs/data.md` comes from the schema files, from
`schemas/topics.toml`, and from the columns that the ClickHouse engine reports.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from ingest.http.openapi.document import DOCUMENT
from pipeline.avro.single_object import SCHEMAS, versions_of
from pipeline.kafka.topics import topics
from pipeline.settings import PREFIX, Settings
from pipeline.store.clickhouse.database import DATABASE, Database
from pipeline.store.clickhouse.meanings import meaning_of
from tests.contract.asyncapi import asyncapi_document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DOCS: Final = Path(__file__).parents[2] / "docs"
KEYS: Final = {
    "handset": "the handset's digits, murmur2",
    "partition": "one record a partition",
    "suppression": "the suppression, in the handset's partition",
    "account": "the account, murmur2",
    "home": "none; the partition in which the message is held",
    "none": "none",
}
Columns = list[tuple[str, str]]


def is_inherited(kind: Any, name: str) -> bool:
    """Whether a setting is of a class on which the settings rest: those come last."""
    return name not in kind.__annotations__


def settings_page(kind: Any = Settings) -> str:
    """Every setting with its variable, its default and its line of help."""
    rows = [
        f"| `{field.name}` | `{PREFIX}{field.name.upper()}` | {_shown(field.default)}"
        f" | {field.metadata['help']} |"
        for field in sorted(
            dataclasses.fields(kind), key=lambda each: is_inherited(kind, each.name)
        )
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
    lines = [f"### `{DATABASE}.{name}`", "", "| column | type | meaning |", "|---|---|---|"]
    for column, kind in columns:
        lines.append(f"| `{column}` | `{kind}` | {_cell(meaning_of(name, column))} |")
    return [*lines, ""]


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


class _InFull(yaml.SafeDumper):
    """Writes what occurs twice twice, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def yaml_page(document: Mapping[str, Any]) -> str:
    """A description in YAML, for readers and tools."""
    written = yaml.dump(document, Dumper=_InFull, sort_keys=False, allow_unicode=True, width=110)
    return f"# `python -m tests.contract.documents` generates this file.\n{written}"


def main() -> None:
    """Write the files."""
    (DOCS / "asyncapi.yaml").write_text(yaml_page(asyncapi_document()))
    (DOCS / "openapi.yaml").write_text(yaml_page(DOCUMENT))
    with tempfile.TemporaryDirectory() as folder, Database(Settings(home=Path(folder))) as database:
        (DOCS / "data.md").write_text(data_page(views_of(database)))
    (DOCS / "settings.md").write_text(settings_page())


if __name__ == "__main__":
    main()
