"""The sessions that read a database, opened once for all tests that ask it."""

from __future__ import annotations

import asyncio
import copy
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.store.query.questions import SESSIONS, STRANGERS, Questions

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database


def questions_of(database: Database) -> Questions:
    """The sessions of the database, and who waits for them in an event loop of its own."""
    questions = copy.copy(_opened(database))
    questions._free = asyncio.Semaphore(SESSIONS)
    questions._free_for_strangers = asyncio.Semaphore(STRANGERS)
    return questions


@lru_cache(maxsize=1)
def _opened(database: Database) -> Questions:
    """Opened once: the sessions of each test would take 80 ms."""
    return Questions(database)
