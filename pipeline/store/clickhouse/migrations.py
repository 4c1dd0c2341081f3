"""Applies the numbered migrations of `deploy/clickhouse/`, each once and in order.

A migration is a file of statements. Each statement ends with a semicolon at the end of a line, and
must be safe to run twice: if the process is killed in the middle, the migration is not recorded,
and the next start applies it again from its beginning.
What no statement can do follows the statements, and may run again as well.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.store.clickhouse.repartition import repartition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from clickhouse_connect.driver.client import Client

MIGRATIONS_FOLDER: Final = Path(__file__).resolve().parents[3] / "deploy" / "clickhouse"
_NAME: Final = re.compile(r"(?P<number>\d{4})_(?P<words>[a-z0-9_]+)\.sql")
_TABLE: Final = """\
CREATE TABLE IF NOT EXISTS twoway.migrations
(number UInt32, name String, checksum String, applied_at DateTime64(3, 'UTC'))
ENGINE = ReplacingMergeTree ORDER BY number"""
#: What follows a migration's statements, by its number.
_AFTER: Final[Mapping[int, Callable[[Client], None]]] = {12: repartition}


class MigrationRefused(RuntimeError):
    """A migration is named wrongly, was changed after it was applied, or is unknown."""


@dataclass(frozen=True)
class Migration:
    """One file of migration statements."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    def statements(self) -> Iterator[str]:
        """The statements in order, without comment lines."""
        text = re.sub(r"^--.*\n", "", self.sql, flags=re.MULTILINE)
        for statement in re.split(r";\s*\n", text):
            if statement.strip():
                yield statement.strip()


def migrations_in(folder: Path = MIGRATIONS_FOLDER) -> list[Migration]:
    """The migrations of a folder in order; raises `MigrationRefused` for a wrong or double number.

    Numbers may be missing. `migrate` applies every migration that was not applied before.
    """
    migrations: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise MigrationRefused(f"{path.name}: expected a name such as 0001_words.sql")
        number = int(match["number"])
        if number < 1 or (migrations and migrations[-1].number == number):
            raise MigrationRefused(f"{path.name}: the number {number} is zero or taken")
        migrations.append(Migration(number, path.name, path.read_text()))
    return migrations


def migrate(client: Client, migrations: Sequence[Migration]) -> list[Migration]:
    """Apply the migrations that were not applied, and return these.

    Raises `MigrationRefused` if an applied migration was changed or is unknown here.
    """
    client.command("CREATE DATABASE IF NOT EXISTS twoway")
    client.command(_TABLE)
    rows = client.query("SELECT number, name, checksum FROM twoway.migrations FINAL").result_rows
    applied = {number: (name, checksum) for number, name, checksum in rows}
    unknown = set(applied) - {migration.number for migration in migrations}
    if unknown:
        raise MigrationRefused(
            f"the database has {applied[max(unknown)][0]}, which this version does not know"
        )
    fresh = []
    for migration in migrations:
        known = applied.get(migration.number)
        if known is not None and known[1] != migration.checksum:
            raise MigrationRefused(
                f"{migration.name} was changed after it was applied: write a new one instead"
            )
        if known is None:
            _apply(client, migration)
            fresh.append(migration)
    return fresh


def _apply(client: Client, migration: Migration) -> None:
    for statement in migration.statements():
        client.command(statement)
    if after := _AFTER.get(migration.number):
        after(client)
    client.command(
        "INSERT INTO twoway.migrations "
        "SELECT {number:UInt32}, {name:String}, {checksum:String}, now64(3)",
        parameters={
            "number": migration.number,
            "name": migration.name,
            "checksum": migration.checksum,
        },
    )
