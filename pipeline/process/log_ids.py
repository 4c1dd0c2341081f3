"""Ids in log lines. The guard of the log masks numbers; an id may have seven digits in a row."""

from __future__ import annotations

import re
from typing import Final

from pipeline.process.peer_words import cleaned, masked

#: The form of the ids that we derive (`pipeline/identity.py`), and of those that the gateway gives.
_DERIVED: Final = re.compile(r"[0-9a-f]{32}")
#: Characters of another id that are shown.
LONGEST: Final = 128


class LoggedId:
    """An id as an argument of a log line: whole if it has the form of ours, else masked."""

    __slots__ = ("_words",)

    def __init__(self, given: str) -> None:
        is_derived = _DERIVED.fullmatch(given)
        self._words = given if is_derived else masked(cleaned(given[:LONGEST])) or "none"

    def __str__(self) -> str:
        return self._words
