"""Saved reports as the caller may see them: a filter of one may name a person or a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from pipeline.store.report.lists.filters import BadFilter
from pipeline.store.report.masking.columns_seen import without_numbers
from pipeline.store.report.masking.parameters_seen import checked_text
from pipeline.store.report.masking.sight import SEEING

if TYPE_CHECKING:
    from pipeline.store.report.masking.seal import Seal
    from pipeline.store.report.saved import SavedReport


class SeenReports(Mapping[str, "SavedReport"]):
    """The saved reports that the caller of this request may run, with seals for handsets."""

    def __init__(self, saved: Mapping[str, SavedReport], seal: Seal) -> None:
        self._saved = saved
        self._seal = seal

    def __getitem__(self, name: str) -> SavedReport:
        found = self._seen(self._saved[name])
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._saved if self._seen(self._saved[name]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _seen(self, report: SavedReport) -> SavedReport | None:
        """The report; None where the caller could not ask for its text."""
        sight = SEEING.get()
        if sight.is_full:
            return report
        filters = dict(report.filters)
        try:
            for name in ("text", "keyword"):
                checked_text(name, filters.get(name, ""), sight)
        except BadFilter:
            return None
        if sight.numbers:
            return report
        if "handset" in filters:
            filters["handset"] = self._seal.sealed(filters["handset"])
        name = without_numbers(report.name)
        return msgspec.structs.replace(report, name=name, filters=filters)
