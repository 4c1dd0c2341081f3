"""Reads the number directory from its record."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

from pipeline.avro import single_object
from pipeline.directory.directory import Directory

if TYPE_CHECKING:
    from pipeline.records import Numbers


@lru_cache(maxsize=4)
def directory_from_record(octets: bytes, account: str) -> Directory:
    """The directory of a record; the same object for every partition of this worker.

    Raises `Unreadable`.
    """
    return Directory(cast("Numbers", single_object.decode(octets)), default_account=account)
