"""No fence lets a statement use a function of the installed engine that reads beyond its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.query.functions import TABLE_FUNCTIONS, may_call
from pipeline.store.query.questions import BadStatement, Questions
from pipeline.store.query.read_only import STATEMENTS, check_tree
from pipeline.store.query.statement_parameters import parameters_for
from pipeline.store.query.statement_text import (
    BEFORE_BRACKETS,
    Refused,
    check_words,
    statement_from_text,
)
from pipeline.store.query.statement_tokens import LONGEST, tokens_from_text
from tests.hostile.growth import refuse_steep_growth
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

#: By what ClickHouse's documentation says of them: files, other servers, the process and its host,
#: who else is there, and waiting.
READS_OUTSIDE = frozenset(
    [
        "file",
        "filesystemAvailable",
        "filesystemCapacity",
        "filesystemUnreserved",
        "hostName",
        "hostname",
        "FQDN",
        "fullHostName",
        "getMacro",
        "getServerSetting",
        "getServerPort",
        "getSetting",
        "getOSKernelVersion",
        "serverUUID",
        "tcpPort",
        "uptime",
        "buildId",
        "showCertificate",
        "currentUser",
        "user",
        "authenticatedUser",
        "getClientHTTPHeader",
        "queryID",
        "connectionId",
        "addressToLine",
        "addressToSymbol",
        "demangle",
        "logTrace",
        "tid",
        "joinGet",
        "dictGet",
        "dictGetString",
        "dictHas",
        "hasColumnInTable",
        "catboostEvaluate",
        "aiGenerate",
        "AIGenerate",
        "sleep",
        "sleepEachRow",
        "zookeeperSessionUptime",
        "regionToName",
        "currentProfiles",
        "globalVariable",
        "transactionID",
        "errorCodeToName",
        "evalMLMethod",
        "naiveBayesClassifier",
        "currentQueryID",
        "chdb",
    ]
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def questions(database: Database) -> Questions:
    return Questions(database)


def column(database: Database, sql: str) -> list[str]:
    return [str(name) for (name,) in database.writing.query(sql).result_rows]


def test_what_reads_outside_is_on_no_list() -> None:
    assert [name for name in READS_OUTSIDE if may_call(name)] == []
    assert [name for name in READS_OUTSIDE if name.lower() in BEFORE_BRACKETS] == []


def test_no_word_of_sql_is_a_function_that_may_not_be_called(database: Database) -> None:
    names = {name.lower() for name in column(database, "SELECT name FROM system.functions")}
    assert {word for word in BEFORE_BRACKETS & names if not may_call(word)} == set()


def test_every_other_function_is_refused_by_its_words_alone_and_by_its_tree_alone(
    database: Database, questions: Questions
) -> None:
    names = column(database, "SELECT name FROM system.functions")
    refused = [name for name in names if not may_call(name)]
    assert len(names) > 1_500
    assert len(refused) > 200
    for name in refused:
        for sql in (f"SELECT {name}('a')", f"SHOW TABLES WHERE {name}('a')", f"SELECT `{name}`(1)"):
            with pytest.raises(Refused):
                check_words(sql, fenced=(), databases=())
        with pytest.raises(Refused):
            check_words(f"SELECT arrayMap({name}, [1])", fenced=questions.fenced, databases=())
        with pytest.raises(Refused):
            check_tree(
                ["SelectWithUnionQuery (children 1)", f" Function {name} (children 1)"],
                fenced=(),
                databases=(),
            )


def test_every_other_table_function_is_refused_by_words_by_tree_and_by_the_engine(
    database: Database,
) -> None:
    names = column(database, "SELECT name FROM system.table_functions")
    assert len(names) > 50
    session = database.reading()
    for name in names:
        if name.lower() in TABLE_FUNCTIONS:
            continue
        sql = f"SELECT * FROM {name}('/etc/hostname')"
        if not may_call(name):  # a function of the same name may be called, though not as a table
            with pytest.raises(Refused):
                check_words(sql, fenced=(), databases=())
        lines = ["SelectQuery (children 1)", " TableExpression (children 1)", f"  Function {name}"]
        with pytest.raises(Refused):
            check_tree(lines, fenced=(), databases=())
    database.drop(session)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/b.csv')",
        "SELECT * FROM remote('127.0.0.1:1', system.one)",
        "SELECT * FROM executable('x.sh', 'CSV', 'a String')",
        "SELECT * FROM sqlite('/etc/hostname', 'x')",
        "SELECT * FROM mysql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT * FROM postgresql('127.0.0.1:1', 'a', 'b', 'c', 'd')",
        "SELECT addressToLine(toUInt64(1))",
        "SELECT demangle('x')",
        "INSERT INTO mo_raw_rows (source) VALUES ('x')",
        "CREATE TABLE twoway.x (a Int8) ENGINE = File(CSV)",
        "SET readonly = 0",
    ],
)
def test_a_session_refuses_by_itself_what_gets_past_both_other_fences(
    database: Database, sql: str
) -> None:
    session = database.reading()
    with pytest.raises(ClickHouseError, match=r"ACCESS_DENIED|READONLY"):
        session.command(sql)
    database.drop(session)


def test_every_kind_of_statement_but_a_few_is_refused_by_its_tree() -> None:
    kinds = [
        "InsertQuery",
        "CreateQuery",
        "DropQuery",
        "AlterQuery",
        "RenameQuery",
        "SystemQuery",
        "KillQueryQuery",
        "OptimizeQuery",
        "SetQuery",
        "Set",
        "UseQuery",
        "SetRoleQuery",
        "GrantQuery",
        "CreateUserQuery",
        "CheckQuery",
        "WatchQuery",
        "BackupQuery",
        "TransactionControl",
        "ShowProcesslistQuery",
        "ShowGrantsQuery",
        "ShowAccessQuery",
        "ShowPrivilegesQuery",
        "ShowEngines",
        "ShowFunctions",
        "ShowSettings",
        "ShowCreateAccessEntityQuery",
        "ExternalDDLQuery",
        "ExecuteAsQuery",
        "CopyQuery",
        "DeleteQuery",
        "UpdateQuery",
        "ParallelWithQuery",
        "ShowCreateDatabaseQuery",
        "ShowCreateDictionaryQuery",
        "ExistsDictionaryQuery",
    ]
    for kind in kinds:
        assert kind not in STATEMENTS
        for lines in ([kind], ["SelectWithUnionQuery (children 1)", f" {kind}"]):
            with pytest.raises(Refused):
                check_tree(lines, fenced=(), databases=())


async def test_every_table_and_view_of_ours_is_read_and_is_no_way_to_another(
    database: Database, questions: Questions
) -> None:
    names = column(database, "SELECT name FROM system.tables WHERE database = 'twoway'")
    assert {"mt_now", "mt_state", "mt_result", "two_way"} <= set(names)
    for name in names:
        await questions.json_lines(f"SELECT * FROM {name} LIMIT 1")
        assert await questions.json_lines(f"SHOW CREATE TABLE {name}")
        for sql in (
            f"SELECT * FROM {name}('/etc/hostname')",
            f"SELECT file('/etc/hostname') FROM {name}",
            f"SELECT * FROM {name} WHERE file('/etc/hostname') != ''",
            f"SELECT * FROM {name} JOIN system.processes ON 1 = 1",
            f"SELECT * FROM {name} SETTINGS readonly = 0",
            f"SELECT * FROM {name} INTO OUTFILE '/tmp/x'",
            f"WITH x AS (SELECT * FROM {name}) SELECT * FROM url('http://127.0.0.1:1/', x)",
            f"INSERT INTO {name} SELECT * FROM {name}",
            f"DROP TABLE {name}",
        ):
            with pytest.raises((Refused, BadStatement)):
                await questions.json_lines(sql)


def test_the_fence_knows_every_column_that_tells_a_folder(database: Database) -> None:
    found = column(
        database,
        "SELECT concat(table, '.', name) FROM system.columns WHERE database = 'system'"
        " AND table IN ('one', 'numbers', 'columns', 'functions', 'parts')"
        " AND (name ILIKE '%path%' OR name ILIKE '%disk%' OR name ILIKE '%folder%')",
    )
    assert set(found) == {"parts.path", "parts.disk_name", "parts.bytes_on_disk"}


@pytest.mark.parametrize(
    "piece",
    ["/**/", "-- a\n", "/* a", "(", "'", "''", "'\\", "`", '"', "{", "{a:", "{a:'", " ", "a",
     "1", "a.", "system.", ";", "f(", "-", "/", "* ", "\u2018", "a'"],
)  # fmt: skip
def test_reading_a_statement_takes_time_by_its_length(piece: str) -> None:
    def work(size: int) -> object:
        text = "SELECT " + piece * (size // len(piece))

        def read() -> None:
            try:
                statement = statement_from_text(text)
                check_words(statement, fenced=(), databases=())
            except Refused:
                pass

        return read

    refuse_steep_growth(work, largest=LONGEST - 64, is_the_limit=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", [" (alias a)", " (children 1", "(children 1)", " ", "a.", "1"])
def test_checking_a_tree_takes_time_by_its_length(piece: str) -> None:
    def work(size: int) -> object:
        lines = ["SelectQuery", " Identifier " + piece * (size // len(piece))]

        def check() -> None:
            check_tree(lines, fenced=(), databases=())

        return check

    refuse_steep_growth(work, largest=1 << 19)  # type: ignore[arg-type]


def test_many_parameters_take_time_by_their_number() -> None:
    def work(size: int) -> object:
        names = [f"a{number}" for number in range(size // 16)]
        statement = "SELECT " + ", ".join(f"{{{name}:UInt8}}" for name in names)
        return lambda: parameters_for(statement, dict.fromkeys(names, 1))

    refuse_steep_growth(work, largest=LONGEST - 1024, is_the_limit=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [60_000, LONGEST + 1])
async def test_comments_without_end_are_refused_at_once(questions: Questions, size: int) -> None:
    with pytest.raises((Refused, BadStatement)):
        await questions.json_lines("/**/" * (size // 4 + 1))


def test_a_token_knows_its_place() -> None:
    tokens = tokens_from_text("SELECT /* ; */ 'a;' ;")
    assert [(t.kind, t.text, t.at) for t in tokens] == [
        ("word", "SELECT", 0), ("text", "a;", 15), ("sign", ";", 20),
    ]  # fmt: skip
