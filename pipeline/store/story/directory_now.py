"""Reads the directory of numbers in force from ClickHouse."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.directory.directory import Directory
from pipeline.records import Numbers

if TYPE_CHECKING:
    from pipeline.store.story.asking import Asking

_IN_FORCE: Final = """\
SELECT digest, numbers, sender_ids, reply_paths FROM numbers
ORDER BY loaded_at DESC, kafka_offset DESC LIMIT 1"""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def asking_directory(default_account: str) -> Asking[Directory]:
    """Ask for the directory that was loaded last; an empty one if none was loaded."""
    found = yield _IN_FORCE, {}
    if not found:
        return Directory.empty()
    numbers = msgspec.convert(dict(found[0]) | {"loaded_at": _EPOCH}, Numbers)
    return Directory(numbers, default_account=default_account)
