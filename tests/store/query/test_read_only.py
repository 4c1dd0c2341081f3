"""Hostile statements read nothing from the machine and write nothing to it; honest ones work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.query.questions import BadStatement, Questions
from pipeline.store.query.statement_text import Refused, statement_from_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.store.clickhouse.database import Database

BAIT = "what-must-not-come-out"


@pytest.fixture(scope="module")
def questions(database: Database) -> Questions:
    return Questions(database)


@pytest.fixture(scope="module")
def secret_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    file = tmp_path_factory.mktemp("secret") / "secret.csv"
    file.write_text(f"{BAIT}\n")
    yield file
    assert file.read_text() == f"{BAIT}\n"


HOSTILE = {
    "insert": "INSERT INTO mo_raw_rows (source) VALUES ('x')",
    "insert-after-with": "WITH 1 AS x INSERT INTO mo_raw_rows (source) SELECT 'x'",
    "insert-into-function": "INSERT INTO FUNCTION file('{out}', 'CSV', 'a String') SELECT 'x'",
    "drop": "DROP TABLE mo_raw_rows",
    "truncate": "TRUNCATE TABLE mo_raw_rows",
    "alter-delete": "ALTER TABLE mo_raw_rows DELETE WHERE 1",
    "create": "CREATE TABLE twoway.x (a Int8) ENGINE = Memory",
    "create-function": "CREATE FUNCTION x AS () -> file('{file}')",
    "temporary-table": "CREATE TEMPORARY TABLE x AS SELECT * FROM file('{file}')",
    "attach": "ATTACH TABLE x FROM '{file}' (a String) ENGINE = File(CSV)",
    "set": "SET readonly = 0",
    "settings-clause": "SELECT 1 SETTINGS readonly = 0",
    "settings-clause-limits": "SELECT 1 SETTINGS max_execution_time = 0",
    "system": "SYSTEM SHUTDOWN",
    "kill": "KILL QUERY WHERE 1",
    "use": "USE default",
    "grant": "GRANT ALL ON *.* TO default",
    "backup": "BACKUP TABLE mo_raw_rows TO File('{out}')",
    "second-statement": "SELECT 1; DROP TABLE mo_raw_rows",
    "second-statement-on-a-line-of-its-own": "SELECT 1;\nSELECT file('{file}')",
    "second-statement-after-a-comment": "SELECT 1 -- ;\n; DROP TABLE mo_raw_rows",
    "parallel-with": "SELECT 1 PARALLEL WITH SELECT 2",
    "outfile": "SELECT 'x' INTO OUTFILE '{out}'",
    "outfile-in-pieces": "SELECT 'x' INTO /* a */ OUTFILE /* b */ '{out}'",
    "outfile-of-explain": "EXPLAIN SELECT 1 INTO OUTFILE '{out}'",
    "outfile-of-show": "SHOW TABLES INTO OUTFILE '{out}'",
    "file-table": "SELECT * FROM file('{file}', 'LineAsString')",
    "file-table-quoted": "SELECT * FROM `file`('{file}', 'LineAsString')",
    "file-table-in-a-join": "SELECT * FROM mo_raw JOIN file('{file}', 'LineAsString') AS f ON 1",
    "file-table-in-in": "SELECT 1 WHERE 'x' IN (SELECT * FROM file('{file}', 'LineAsString'))",
    "file-table-in-a-cte": "WITH f AS (SELECT * FROM file('{file}', 'CSV')) SELECT * FROM f",
    "file-table-in-a-union": "SELECT '' UNION ALL SELECT * FROM file('{file}', 'LineAsString')",
    "file-table-described": "DESCRIBE TABLE file('{file}')",
    "file-table-explained": "EXPLAIN SELECT * FROM file('{file}', 'LineAsString')",
    "file-function": "SELECT file('{file}')",
    "file-function-in-capitals": "SELECT FILE('{file}')",
    "file-function-in-a-lambda": "SELECT arrayMap(x -> file(x), ['{file}'])",
    "file-function-by-name": "SELECT arrayMap(file, ['{file}'])",
    "file-function-by-apply": "SELECT * APPLY(file) FROM (SELECT '{file}' AS a)",
    "file-function-by-apply-columns": "SELECT COLUMNS('a') APPLY file FROM (SELECT '{file}' AS a)",
    "file-function-in-replace": "SELECT * REPLACE (file(a) AS a) FROM (SELECT '{file}' AS a)",
    "file-function-in-order-by": "SELECT 1 ORDER BY file('{file}')",
    "file-function-in-a-window": "SELECT count() OVER (PARTITION BY file('{file}'))",
    "file-function-in-limit": "SELECT 1 LIMIT length(file('{file}'))",
    "file-by-name-of-a-table": "SELECT * FROM `{file}`",
    "file-by-name-in-default": "SELECT * FROM default.`{file}`",
    "file-by-name-in-in": "SELECT 'x' IN default.`{file}`",
    "from-first": "FROM file('{file}', 'LineAsString') SELECT *",
    "url": "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "s3": "SELECT * FROM s3('http://127.0.0.1:1/a/b.csv')",
    "remote": "SELECT * FROM remote('127.0.0.1:1', system.one)",
    "executable": "SELECT * FROM executable('x.sh', 'CSV', 'a String')",
    "python": "SELECT * FROM python(BAIT)",
    "filesystem": "SELECT * FROM filesystem('/')",
    "sqlite": "SELECT * FROM sqlite('{file}', 'x')",
    "merge": "SELECT * FROM merge('system', '.*')",
    "loop": "SELECT * FROM loop(mo_raw_rows)",
    "eval": "SELECT * FROM eval('SELECT 1')",
    "input": "SELECT * FROM input('a String')",
    "view": "SELECT * FROM view(SELECT file('{file}'))",
    "system-tables": "SELECT * FROM system.server_settings",
    "system-tables-in-in": "SELECT 'x' IN system.users",
    "information-schema": "SELECT * FROM information_schema.tables",
    "show-where": "SHOW TABLES WHERE CAST(file('{file}') AS Int32)=1",
    "show-limit": "SHOW TABLES LIMIT CAST(file('{file}') AS Int32)",
    "show-columns-where": "SHOW COLUMNS FROM mo_raw WHERE file('{file}') = ''",
    "show-databases": "SHOW DATABASES",
    "show-processlist": "SHOW PROCESSLIST",
    "show-settings": "SHOW SETTINGS LIKE '%'",
    "show-functions": "SHOW FUNCTIONS",
    "show-of-another-database": "SHOW TABLES FROM system",
    "show-create-of-another-database": "SHOW CREATE TABLE system.parts",
    "describe-a-query": "DESCRIBE (SELECT file('{file}'))",
    "exists-of-another-database": "EXISTS TABLE default.`{file}`",
    "explain-estimate": "EXPLAIN ESTIMATE SELECT * FROM file('{file}')",
    "explain-table-override": "EXPLAIN TABLE OVERRIDE mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')"
    " SELECT 1",
    "explain-in-a-query": "SELECT * FROM (EXPLAIN SELECT file('{file}'))",
    "show-in-a-query": "SELECT * FROM (SHOW TABLES)",
    "in-limit-by": "SELECT 1 LIMIT 1 BY file('{file}')",
    "in-fill": "SELECT 1 AS a ORDER BY a WITH FILL TO length(file('{file}'))",
    "in-interpolate": "SELECT 1 AS a, '' AS b ORDER BY a WITH FILL TO 3"
    " INTERPOLATE (b AS file('{file}'))",
    "in-qualify": "SELECT 1 QUALIFY file('{file}') != ''",
    "in-a-window-frame": "SELECT sum(1) OVER (ROWS length(file('{file}')) PRECEDING)",
    "in-sample": "SELECT * FROM mo_raw_rows SAMPLE length(file('{file}'))",
    "in-parameters": "SELECT quantile(length(file('{file}')))(1)",
    "in-settings": "SELECT 1 SETTINGS max_threads = length(file('{file}'))",
    "in-an-array-join": "SELECT a FROM (SELECT 1) ARRAY JOIN [file('{file}')] AS a",
    "in-a-column-list": "SELECT * EXCEPT (a) FROM (SELECT file('{file}') AS a, 1 AS b)",
    "paths-of-parts": "SELECT name, path FROM system.parts",
    "paths-of-parts-by-star": "SELECT * FROM system.parts",
    "paths-of-parts-by-star-of-an-alias": "SELECT p.* FROM system.parts AS p",
    "paths-of-parts-by-pattern": "SELECT COLUMNS('pat.') FROM system.parts",
    "paths-of-parts-in-a-tuple": "SELECT tuple(*) FROM system.parts",
    "paths-of-parts-quoted": "SELECT `path` FROM `system`.`parts`",
    "paths-of-parts-escaped": "SELECT `pa\\x74h` FROM system.parts",
    "paths-of-parts-as-a-whole": "SELECT p FROM system.parts AS p",
    "paths-of-parts-printed": "SELECT toString(parts) FROM system.parts",
    "paths-of-tables": "SELECT data_paths FROM system.tables",
    "questions-of-others": "SELECT query FROM system.processes",
    "user": "SELECT currentUser()",
    "heredoc": "SELECT $a$x$a$",
    "nested-comment": "SELECT 1 /* /* */ */",
    "unicode-quotes": "SELECT \u2018a\u2019",
    "hash-comment": "SELECT 1 # file",
    "escaped-name": "SELECT `f\\x69le`('{file}')",
    "nul": "SELECT 1\0",
    "sleep": "SELECT sleep(3)",
    "has-column-in-table": "SELECT hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')",
    "host-name": "SELECT hostName()",
    "server-setting": "SELECT getServerSetting('max_connections')",
    "ai": "SELECT aiGenerate('x')",
    "format": "SELECT 1 FORMAT Native",
    "explain-a-drop": "EXPLAIN AST DROP TABLE mo_raw_rows",
    "explain-graph": "graph = 1 SELECT 1",
    "execute-as": "EXECUTE AS default SELECT 1",
    "octets": "SELECT '\\xFF'",
    "alias-with-a-line-end": "SELECT 1 AS `a\nFunction file`",
    "nothing": " ; ",
    "a-comment": "-- SELECT 1",
    "not-sql": "{}",
    "brackets-that-do-not-match": "SELECT 1) UNION ALL (SELECT file('{file}')",
}


@pytest.mark.parametrize("sql", HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_hostile_statement_is_refused(
    questions: Questions, database: Database, secret_file: Path, tmp_path: Path, sql: str
) -> None:
    out = tmp_path / "out"
    statement = sql.replace("{file}", str(secret_file)).replace("{out}", str(out))
    with pytest.raises((Refused, BadStatement)) as raised:
        await questions.json_lines(statement)
    assert BAIT not in str(raised.value)
    assert not out.exists()
    tables = database.writing.query(
        "SELECT name FROM system.tables WHERE database = 'twoway'"
    ).result_rows
    assert ("mo_raw_rows",) in tables
    assert ("x",) not in tables


@pytest.mark.parametrize(
    ("parameters", "sql"),
    [
        ({"d": "default", "t": "/etc/passwd"}, "SELECT * FROM {d:Identifier}.{t:Identifier}"),
        ({"t": "/etc/passwd"}, "SELECT * FROM {t:Identifier}"),
        ({"x": "1); DROP TABLE mo_raw_rows"}, "SELECT 1"),
        ({"$x$": "1"}, "SELECT {x:String}"),
        ({"x": "not a number"}, "SELECT {x:UInt8}"),
        ({}, "SELECT {x:UInt8}"),
    ],
    ids=["a-database", "a-table", "not-named", "pasted", "wrong-type", "absent"],
)
async def test_a_hostile_parameter_is_refused(
    questions: Questions, parameters: dict[str, Any], sql: str
) -> None:
    with pytest.raises((Refused, BadStatement)):
        await questions.json_lines(sql, parameters)


HONEST: dict[str, tuple[str, dict[str, Any], list[Any]]] = {
    "number": ("SELECT 1 AS n", {}, [{"n": 1}]),
    "semicolon-at-the-end": (" SELECT 1 AS n ; \n", {}, [{"n": 1}]),
    "in-brackets": ("(SELECT 1 AS n)", {}, [{"n": 1}]),
    "comment-first": ("-- how many\n/* all */ SELECT 1 AS n", {}, [{"n": 1}]),
    "with": ("WITH x AS (SELECT 2 AS n) SELECT n FROM x", {}, [{"n": 2}]),
    "view": ("SELECT count() AS n FROM mo_message", {}, [{"n": 0}]),
    "qualified": ("SELECT count() AS n FROM twoway.two_way WHERE handset = '1'", {}, [{"n": 0}]),
    "rows-table": ("SELECT count() AS n FROM twoway.mo_raw_rows", {}, [{"n": 0}]),
    "join": (
        "SELECT count() AS n FROM mt_command AS c LEFT JOIN mt_result AS r USING (command_id)",
        {},
        [{"n": 0}],
    ),
    "parameters": (
        "SELECT {t:String} AS t, {n:UInt8} AS n, {a:Array(String)} AS a",
        {"t": "it's; a \\ \n", "n": 3, "a": ["x", "'"]},
        [{"t": "it's; a \\ \n", "n": 3, "a": ["x", "'"]}],
    ),
    "per-cent": ("SELECT 'a%s%d' LIKE 'a%' AS n", {}, [{"n": 1}]),
    "time": (
        "SELECT toStartOfHour(toDateTime64('2026-03-04 05:06:07.891', 3, 'UTC')) AS t",
        {},
        [{"t": "2026-03-04 05:00:00"}],
    ),
    "case-and-cast": (
        "SELECT CASE WHEN number = 1 THEN 'a' ELSE 'b' END AS c, number::Int8 AS i FROM numbers(2)",
        {},
        [{"c": "b", "i": 0}, {"c": "a", "i": 1}],
    ),
    "window": (
        "SELECT number, sum(number) OVER (ORDER BY number) AS s, countIf(number = 1) OVER () AS c "
        "FROM numbers(2) ORDER BY number",
        {},
        [{"number": 0, "s": 0, "c": 1}, {"number": 1, "s": 1, "c": 1}],
    ),
    "semicolon-in-a-text": (
        "SELECT 'a;b' AS a, ';' AS `;` -- ; \n /* ; */;",
        {},
        [{"a": "a;b", ";": ";"}],
    ),
    "outfile-in-a-text": ("SELECT 'INTO OUTFILE' AS a", {}, [{"a": "INTO OUTFILE"}]),
    "octets": ("SELECT hex(unhex('FF')) AS h, unhex('FF') AS o", {}, [{"h": "FF", "o": "\ufffd"}]),
    "union": ("SELECT 1 AS n UNION ALL SELECT 1", {}, [{"n": 1}, {"n": 1}]),
    "exists": ("EXISTS TABLE mo_message", {}, [{"result": 1}]),
}


@pytest.mark.parametrize(("sql", "parameters", "rows"), HONEST.values(), ids=HONEST.keys())
async def test_an_honest_question_is_answered_in_json_lines(
    questions: Questions, sql: str, parameters: dict[str, Any], rows: list[Any]
) -> None:
    answer = await questions.json_lines(sql, parameters)
    assert [json.loads(line) for line in answer.decode().splitlines()] == rows


@pytest.mark.parametrize(
    "sql", ["SHOW TABLES", "DESCRIBE mo_message", "EXPLAIN SELECT 1", "SHOW CREATE TABLE mo_raw"]
)
async def test_the_tables_can_be_looked_at(questions: Questions, sql: str) -> None:
    assert await questions.json_lines(sql)


async def test_a_question_without_end_is_ended(questions: Questions) -> None:
    with pytest.raises(BadStatement, match=r"MEMORY_LIMIT_EXCEEDED|TIMEOUT_EXCEEDED|TOO_MANY_ROWS"):
        await questions.json_lines("SELECT number FROM numbers(10000000000)")


async def test_the_words_of_an_error_are_one_line_of_clickhouse(questions: Questions) -> None:
    with pytest.raises(BadStatement) as raised:
        await questions.json_lines("SELECT nothing FROM mo_message")
    assert "UNKNOWN_IDENTIFIER" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_session_stays_read_only_after_what_was_asked_of_it(questions: Questions) -> None:
    for _ in range(8):
        with pytest.raises((BadStatement, Refused)):
            await questions.json_lines("SELECT 1 SETTINGS max_threads = 1")
    assert await questions.json_lines("SELECT 1 AS n") == b'{"n":1}\n'


def test_the_semicolon_at_the_end_is_taken_off() -> None:
    assert statement_from_text("SELECT 1 ;; ") == "SELECT 1"
