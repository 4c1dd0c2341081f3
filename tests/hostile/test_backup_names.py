"""Names in the manifest of a backup that would lead out of the home, or into a statement."""

from __future__ import annotations

import pytest

from pipeline.cli.backup.home_files import SAVED
from pipeline.cli.backup.manifest import (
    BACKUP_FORMAT,
    Manifest,
    SavedPosition,
    SavedRange,
    SavedTable,
)
from pipeline.cli.backup.names import refuse_strange_names
from pipeline.cli.backup.record_file import BackupBroken
from pipeline.kafka import readers

RANGE = SavedRange(partition=0, first=0, last=0, rows=1, digest=1, length=1)
STRANGE = (
    "../../.ssh/authorized_keys",
    "/etc/passwd",
    "settings.toml/../../x",
    "x\0",
    "",
    "mo_raw_rows; DROP TABLE twoway.mo_raw_rows",
    "__consumer_offsets",
    "a" * 10_000,
)


def manifest(**given: object) -> Manifest:
    fields = {"topics": {}, "groups": {}, "tables": {}, "files": {}} | given
    return Manifest(
        format=BACKUP_FORMAT,
        backup_id="1",
        made_at="",
        version="9.9",
        partitions=1,
        **fields,  # type: ignore[arg-type]
    )


def table(*columns: str) -> dict[str, SavedTable]:
    return {"mo_raw_rows": SavedTable(list(columns), [RANGE], "")}


@pytest.mark.parametrize("name", STRANGE, ids=lambda name: repr(name[:20]))
def test_a_strange_name_is_refused_everywhere(name: str) -> None:
    position = [SavedPosition(0, "", 0)]
    for strange in (
        {"topics": {name: []}},
        {"groups": {name: {}}},
        {"groups": {readers.STORE: {name: position}}},
        {"tables": {name: SavedTable([], [], "")}},
        {"files": {name: ""}},
    ):
        with pytest.raises(BackupBroken, match="which this release does not know: it is of"):
            refuse_strange_names(manifest(**strange))


@pytest.mark.parametrize("column", ["", "a b", "a`, sleep(3)", "A", "a\n", "1a", "ä"], ids=repr)
def test_a_strange_column_is_refused(column: str) -> None:
    with pytest.raises(BackupBroken, match="mo_raw_rows has the column"):
        refuse_strange_names(manifest(tables=table("handset", column)))


def test_our_own_names_are_taken() -> None:
    refuse_strange_names(
        manifest(
            topics={"mo-raw": []},
            groups={readers.STORE: {"mo-raw": [None]}},
            tables=table("handset", "kafka_offset"),
            files=dict.fromkeys(SAVED, ""),
        )
    )
