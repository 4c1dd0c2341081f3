"""Invented and mutated statements: none reads a planted file or variable, none blocks for long.

    python -m tests.hostile.test_sql SEED FOLDER

tries the statements of one seed, with the store of FOLDER/home. It is a separate process, because
/proc/self/environ shows the environment at the start of a process, and nothing that was set later.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse import database as database_module
from pipeline.store.clickhouse.database import Database
from pipeline.store.query.questions import BadStatement, Questions
from pipeline.store.query.statement_text import Refused
from tests.hostile.scale import SCALE, dice_for
from tests.support.migrated import migrated

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

BAIT: Final = "bait-5b1c-must-not-come-out"
SEEDS: Final = 4
STATEMENTS: Final = 350 * SCALE
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
    "SELECT * FROM mt_now WHERE words = {x}", "SELECT note, {x} FROM two_way LIMIT 3",
    "SELECT * FROM mt_state ORDER BY {x}",
    "SELECT * FROM values('a String', {x})", "EXISTS TABLE `{x}`", "({x})", "SELECT 'a;{x}'",
)  # fmt: skip
PIECES: Final = (
    " ", "\n", "--", "/*", "*/", "/**/", "'", "''", "\\", "`", '"', "(", ")", ";", ",", "{", "}",
    "file", "WHERE", "SETTINGS a = 1", "FORMAT CSV", "INTO OUTFILE '{out}'", "\u00a0", "\u2018",
    "$$", "#", "\x00", ".", "*", "AS", "SHOW", "SELECT", "0x", "x'41'",
)  # fmt: skip


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


async def try_statements(questions: Questions, seed: int, folder: Path) -> tuple[int, list[str]]:
    """The number of statements with an answer, and the faults."""
    planted, out = folder / "secret", folder / "out"
    dice = dice_for(f"statements {seed}")
    answered, fell = 0, []
    for _ in range(STATEMENTS):
        sql = mutated(dice).replace("{file}", str(planted)).replace("{out}", str(out))
        began = time.monotonic()
        try:
            parameters = {"p": str(planted)} if "{p:String}" in sql else {}
            answer = await questions.json_lines(sql, parameters)
            answered += 1
        except (Refused, BadStatement) as error:
            answer = str(error).encode("utf-8", "replace")
        if BAIT.encode() in answer:
            fell.append(f"what was planted came out: {sql!r}")
        if time.monotonic() - began >= SLOWEST_SECONDS:
            fell.append(f"it took {time.monotonic() - began:.1f} s: {sql!r}")
        if out.exists():
            fell.append(f"a file was written: {sql!r}")
            out.unlink()
    last = await asyncio.wait_for(questions.json_lines("SELECT 1 AS n"), 10)
    if last != b'{"n":1}\n':
        fell.append(f"afterwards 1 was {last!r}")
    return answered, fell


def main(seed: int, folder: Path) -> None:
    """Try the statements of one seed, and print the results as JSON."""
    database_module._READING["max_execution_time"] = QUERY_SECONDS
    with Database(Settings(home=folder / "home")) as opened:
        answered, fell = asyncio.run(try_statements(Questions(opened), seed, folder))
    sys.stdout.write(json.dumps({"answered": answered, "fell": fell}))


def run_planted(*command: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the bait in its environment."""
    return subprocess.run(
        [sys.executable, *command],
        env=os.environ | {"PLANTED": BAIT},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_statement_reads_what_was_planted_or_blocks(
    tmp_path: Path, seed: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("tried", STATEMENTS)
    (tmp_path / "secret").write_text(f"{BAIT}\n")
    migrated(tmp_path / "home")
    done = run_planted("-m", "tests.hostile.test_sql", str(seed), str(tmp_path))
    outcome = json.loads(done.stdout)
    assert outcome["fell"] == []
    assert outcome["answered"] > 0


def test_the_bait_is_where_a_statement_would_find_it() -> None:
    shown = "from pathlib import Path; print(Path('/proc/self/environ').read_text())"
    assert BAIT in run_planted("-c", shown).stdout


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
