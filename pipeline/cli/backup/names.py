"""The names in a manifest: they become paths, topics and words of SQL.

So each must be a name of ours. A backup of a later release may have others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.cli.backup.home_files import SAVED
from pipeline.cli.backup.record_file import BackupBroken
from pipeline.cli.backup.session import GROUPS
from pipeline.cli.backup.tables import SAVED_TABLES
from pipeline.kafka.topics import topics

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipeline.cli.backup.manifest import Manifest

_COLUMN: Final = re.compile(r"[a-z][a-z0-9_]*")


def refuse_strange_names(manifest: Manifest) -> None:
    """Raise `BackupBroken` for a name that this release does not know."""
    _refuse_others("topic", manifest.topics, topics(), manifest)
    _refuse_others("group", manifest.groups, GROUPS, manifest)
    for positions in manifest.groups.values():
        _refuse_others("topic of a group", positions, manifest.topics, manifest)
    _refuse_others("table", manifest.tables, SAVED_TABLES.values(), manifest)
    _refuse_others("file", manifest.files, SAVED, manifest)
    for table, saved in manifest.tables.items():
        if strange := [each for each in saved.columns if not _COLUMN.fullmatch(each)]:
            raise BackupBroken(f"{table} has the column {strange[0]!r}")


def _refuse_others(
    kind: str, names: Iterable[str], known: Collection[str], manifest: Manifest
) -> None:
    for name in names:
        if name not in known:
            raise BackupBroken(
                f"it has the {kind} {name!r}, which this release does not know: it is of version"
                f" {manifest.version}"
            )
