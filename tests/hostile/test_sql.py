"""Statements made up and mutated: none reads a planted file or variable, none blocks for long."""

from __future__ import annotations

import asyncio
import os
import random
import time
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse import database as database_module
from pipeline.store.clickhouse.database import Database
from pipeline.store.query.questions import BadStatement, Questions
from pipeline.store.query.statement_text import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BAIT: Final = "bait-5b1c-must-not-come-out"
SEEDS: Final = 4
STATEMENTS: Final = 350
QUERY_SECONDS: Final = 2
SLOWEST_SECONDS: Final = 3 * QUERY_SECONDS
READING: Final = (
    "file('{file}')", "`file`('{file}')", "FILE(concat('{file}', ''))", "file({p:String})",
    "(SELECT * FROM file('{file}', 'LineAsString'))", "arrayMap(file, ['{file}'])[1]",
    "file('/proc/self/environ')", "(SELECT line FROM file('/proc/self/environ', 'LineAsString'))",
    "getServerSetting('path')", "dictGet('{file}', 'a', 1)", "file/**/('{file}')",
    "(SELECT any(query) FROM system.processes)", "sleepEachRow(3)", "1",
)  # fmt: skip
SHAPES: Final = (
    "SELECT {x}", "SELECT 1 WHERE {x} != ''", "SHOW TABLES WHERE CAST({x} AS Int32) = 1",
    "SHOW TABLES LIMIT CAST({x} AS Int32)", "SHOW COLUMNS FROM mo_raw LIMIT length({x})",
    "DESCRIBE (SELECT {x})", "EXPLAIN SELECT {x}", "EXPLAIN AST SELECT {x}",
    "WITH {x} AS a SELECT a", "SELECT 1 ORDER BY {x}", "SELECT 1 LIMIT length({x})",
    "SELECT toInt32({x})", "SELECT throwIf(1, {x})", "SELECT * FROM numbers(length({x}))",
    "SELECT 1 UNION ALL SELECT {x}", "SELECT count() FROM mo_raw GROUP BY {x}",
    "SELECT number FROM numbers(3) ORDER BY number WITH FILL TO length({x})",
    "SELECT * FROM values('a String', {x})", "EXISTS TABLE `{x}`", "({x})", "SELECT 'a;{x}'",
)  # fmt: skip
PIECES: Final = (
    " ", "\n", "--", "/*", "*/", "/**/", "'", "''", "\\", "`", '"', "(", ")", ";", ",", "{", "}",
    "file", "WHERE", "SETTINGS a = 1", "FORMAT CSV", "INTO OUTFILE '{out}'", "\u00a0", "\u2018",
    "$$", "#", "\x00", ".", "*", "AS", "SHOW", "SELECT", "0x", "x'41'",
)  # fmt: skip


@pytest.fixture(scope="module")
def questions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Questions]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(database_module._READING, "max_execution_time", QUERY_SECONDS)
        with Database(Settings(home=tmp_path_factory.mktemp("home"))) as opened:
            yield Questions(opened)


def mutated(dice: random.Random) -> str:
    statement = dice.choice(SHAPES).replace("{x}", dice.choice(READING))
    for _ in range(dice.choice((0, 0, 1, 1, 2, 4))):
        at, end = sorted(dice.randrange(len(statement) + 1) for _ in range(2))
        statement = dice.choice(
            (
                statement[:at] + dice.choice(PIECES) + statement[at:],
                statement[:at] + dice.choice(PIECES) + statement[min(end, at + 3) :],
                statement[:end] + statement[at:end] + statement[end:],
            )
        )
    return statement[:4_000]


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_no_statement_reads_what_was_planted_or_blocks(
    questions: Questions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    planted, out = tmp_path / "secret", tmp_path / "out"
    planted.write_text(f"{BAIT}\n")
    monkeypatch.setenv("TWOWAY_PLANTED", BAIT)
    assert os.environ["TWOWAY_PLANTED"] == BAIT
    dice = random.Random(seed)
    answered = 0
    for _ in range(STATEMENTS):
        sql = mutated(dice).replace("{file}", str(planted)).replace("{out}", str(out))
        began = time.monotonic()
        try:
            parameters = {"p": str(planted)} if "{p:String}" in sql else {}
            answer = await questions.json_lines(sql, parameters)
            answered += 1
        except (Refused, BadStatement) as error:
            answer = str(error).encode("utf-8", "replace")
        assert BAIT.encode() not in answer, sql
        assert time.monotonic() - began < SLOWEST_SECONDS, sql
        assert not out.exists(), sql
    assert answered > 0
    assert await asyncio.wait_for(questions.json_lines("SELECT 1 AS n"), 10) == b'{"n":1}\n'
