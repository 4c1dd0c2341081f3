"""Every statement that a page gives to `twoway sql` is one that ClickHouse takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STATEMENT = re.compile(r"twoway sql (?:\"(SELECT [^\"]*)\"|'(SELECT [^']*)')(.*)")
PARAMETER = re.compile(r"--param (\w+)=(\S+)")


def statements() -> list[tuple[str, str, dict[str, str]]]:
    """Page, statement and parameters."""
    return [
        (page.name, one or other, dict(PARAMETER.findall(rest)))
        for page in PAGES
        for one, other, rest in STATEMENT.findall(page.read_text())
    ]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as opened:
        yield opened


@pytest.mark.parametrize(("page", "statement", "parameters"), statements())
def test_a_statement_of_a_page_is_taken(
    database: Database, page: str, statement: str, parameters: dict[str, str]
) -> None:
    client = database.reading()
    try:
        assert client.query(statement, parameters=parameters).result_rows == []
    finally:
        database.drop(client)


def test_there_are_statements() -> None:
    assert {page for page, _, _ in statements()} >= {"operating.md", "command-line.md"}
