"""The directory of numbers in force, asked of the report over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.ask.report_client import rows
from pipeline.store.story.asking import answered
from pipeline.store.story.directory_now import asking_directory

if TYPE_CHECKING:
    from pipeline.directory.directory import Directory
    from pipeline.settings import Settings


def directory_from_report(report: str, settings: Settings) -> Directory:
    """The directory that was loaded last; one that lists nothing where none was."""
    return answered(
        asking_directory(settings.account), lambda sql, given: rows(report, sql, parameters=given)
    )
