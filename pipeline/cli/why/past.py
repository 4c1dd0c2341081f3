"""Consent as it was at a time, by what we knew at another (`why --at --known-at`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.cli.mt.request import time_from_text
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.store.story.consent import Change

_NOW = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Past:
    """`at`: the time asked about; `known_at`: what was recorded later does not count."""

    at: datetime
    known_at: datetime

    @classmethod
    def from_words(cls, at: str | None, known_at: str | None) -> Past | None:
        """None where neither is given; raises `typer.BadParameter` for what is no time."""
        if at is None and known_at is None:
            return None
        return cls(
            at=_NOW if at is None else time_from_text(at),
            known_at=_NOW if known_at is None else time_from_text(known_at),
        )

    @property
    def words(self) -> str:
        """What is shown, as a first line."""
        at = "now" if self.at == _NOW else f"at {text_from_time(self.at)}"
        known = "today" if self.known_at == _NOW else f"at {text_from_time(self.known_at)}"
        return f"as it was {at}, by what we knew {known}, with the numbers of today"

    def changes_of(self, changes: Sequence[Change]) -> list[Change]:
        """The changes that were true and recorded by then."""
        return [
            each for each in changes if each.at <= self.at and each.recorded_at <= self.known_at
        ]
