"""An answer that ends early leaves nothing for the next question."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from clickhouse_connect.driver._chdbclient import ChdbClient
from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.settings import Settings
from pipeline.store.clickhouse import database as database_module
from pipeline.store.clickhouse.database import Database
from pipeline.store.query.questions import SESSIONS, BadStatement, Questions
from pipeline.store.report.assembly import report_from
from pipeline.store.report.thread import ReportThread
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "SECRET-OF-A"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with pytest.MonkeyPatch.context() as patch:
        # A smaller limit ends an answer as well, and sooner.
        patch.setitem(database_module._READING, "max_execution_time", 1)
        with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as opened:
            yield opened


#: A question of A's whose answer does not come to its end.
ENDED_EARLY = {
    "limit-of-octets": f"SELECT '{SECRET}' AS a, number FROM numbers(20000000)",
    "limit-of-rows": f"SELECT '{SECRET}' AS a FROM numbers(1100000)",
    "limit-of-memory": f"SELECT groupArray(concat('{SECRET}', toString(number)))"
    " FROM numbers(90000000)",
    "timeout": f"SELECT '{SECRET}', count() FROM numbers(100000000000) WHERE sipHash64(number) = 1",
    "error-in-the-middle": f"SELECT '{SECRET}', throwIf(number = 700000) FROM numbers(1000000)",
    "error-at-the-end": f"SELECT '{SECRET}', toUInt8(if(number = 299999, 'x', '1'))"
    " FROM numbers(300000)",
    "error-in-analysis": f"SELECT '{SECRET}' AS a, nothing FROM mo_raw",
    "error-in-syntax": f"SELECT '{SECRET}' AS a FROM FROM",
}  # fmt: skip


@pytest.mark.parametrize("sql", ENDED_EARLY.values(), ids=ENDED_EARLY.keys())
async def test_the_next_questions_get_their_own_answers(database: Database, sql: str) -> None:
    questions = Questions(database)
    with pytest.raises(BadStatement):
        await questions.json_lines(sql)
    for _ in range(2 * SESSIONS):
        assert await questions.json_lines("SELECT 1 AS n") == b'{"n":1}\n'
        assert await questions.rows("SELECT 2 AS n") == [{"n": 2}]


async def test_a_page_whose_question_fails_leaves_nothing_either(database: Database) -> None:
    questions = Questions(database)
    with pytest.raises(ClickHouseError):
        await questions.rows(f"SELECT '{SECRET}' AS a, number FROM numbers(20000000)")
    for _ in range(2 * SESSIONS):
        assert await questions.rows("SELECT 2 AS n") == [{"n": 2}]


async def test_rows_have_the_names_of_their_columns_and_each_question_asks_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions, asked = Questions(database), []
    query = ChdbClient.query

    def noted(client: ChdbClient, *args: Any, **named: Any) -> Any:
        asked.append(args)
        return query(client, *args, **named)

    monkeypatch.setattr(ChdbClient, "query", noted)
    sql = "SELECT 1 AS one, {word:String} AS word WHERE word != ''"
    for word in ("", "word", ""):
        rows = await questions.rows(sql, {"word": word})
        assert rows == ([{"one": 1, "word": word}] if word else [])
    assert asked == [(sql,)] * 3


async def test_a_client_that_goes_leaves_nothing(database: Database) -> None:
    questions = Questions(database)
    gone = [
        asyncio.create_task(
            questions.json_lines(f"SELECT '{SECRET}', sipHash64(number) FROM numbers(900000)")
        )
        for _ in range(SESSIONS)
    ]
    await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    for _ in range(4 * SESSIONS):
        assert await questions.json_lines("SELECT 1 AS n") == b'{"n":1}\n'


class Returning(Questions):
    """A broken copy: it returns a session to the pool, however the answer ended."""

    def _with_session(self, ask: Any) -> Any:
        client = self._sessions.get()
        try:
            return ask(client)
        finally:
            self._sessions.put(client)


async def test_a_session_that_is_kept_would_be_seen(database: Database) -> None:
    questions = Returning(database)
    with pytest.raises(BadStatement):
        await questions.json_lines(ENDED_EARLY["limit-of-octets"])
    answers = await asyncio.gather(
        *(questions.json_lines("SELECT 1 AS n") for _ in range(2 * SESSIONS)),
        return_exceptions=True,
    )
    assert [answer for answer in answers if answer != b'{"n":1}\n']


async def test_more_than_an_answer_may_have_of_mo_raw_leaves_nothing(database: Database) -> None:
    database.writing.command(
        "INSERT INTO twoway.mo_raw_rows (source, received_at, handset, octets, kafka_offset)"
        f" SELECT 'http', now64(3), '447700900001', repeat('{SECRET} ', 5000), number"
        " FROM numbers(3000)"
    )  # 3,000 callbacks of 60 KB: 180 MB, against 128 MiB
    questions = Questions(database)
    with pytest.raises(BadStatement):
        await questions.json_lines("SELECT * FROM mo_raw")
    for _ in range(2 * SESSIONS):
        assert await questions.json_lines("SELECT 1 AS n") == b'{"n":1}\n'
        assert await questions.rows("SELECT 2 AS n") == [{"n": 2}]


async def test_an_http_client_that_hangs_up_leaves_nothing(database: Database) -> None:
    questions = Questions(database)
    report = report_from(Settings(), questions, is_ready=lambda: True)
    thread = ReportThread(report, host="127.0.0.1", port=0)
    port = thread.start()
    body = f"SELECT '{SECRET}', repeat('x', 1000), number FROM numbers(30000)".encode()
    request = b"POST /sql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/sql\r\n"
    request += b"Content-Length: %d\r\n\r\n" % len(body) + body

    def ask_and_hang_up(*, octets: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(request)
            begin = line.recv(octets) if octets else b""
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return begin

    try:
        for octets in (0, 4096) * SESSIONS:  # before the answer, and in the middle of it
            begin = await asyncio.to_thread(ask_and_hang_up, octets=octets)
            assert begin.startswith(b"HTTP/1.1 200 OK" if octets else b"")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(4 * SESSIONS):
                answer = await client.post(
                    "/sql", content="SELECT 1 AS n", headers={"Content-Type": "application/sql"}
                )
                assert (answer.status_code, answer.text) == (200, '{"n":1}\n')
    finally:
        thread.stop()


async def test_a_session_that_failed_is_closed_and_a_new_one_is_as_strict(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = Questions(database)
    dropped: list[Any] = []
    drop = database.drop
    monkeypatch.setattr(database, "drop", lambda client: (dropped.append(client), drop(client)))
    for _ in range(3 * SESSIONS):
        with pytest.raises(BadStatement):
            await questions.json_lines("SELECT nothing FROM mo_raw")
    assert len({id(client) for client in dropped}) == 3 * SESSIONS
    for _ in range(2 * SESSIONS):
        session = questions._sessions.get()
        if session is not None:
            with pytest.raises(ClickHouseError, match=r"READONLY|ACCESS_DENIED"):
                session.command("SET max_threads = 3")
        questions._sessions.put(session)


async def test_a_database_that_makes_no_sessions_is_asked_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = Questions(database)
    for _ in range(SESSIONS):
        with pytest.raises(BadStatement):
            await questions.json_lines("SELECT nothing")

    def refuse() -> Any:
        raise ClickHouseError("no session")

    with monkeypatch.context() as patch:
        patch.setattr(database, "reading", refuse)
        with pytest.raises(ClickHouseError, match="no session"):
            await questions.json_lines("SELECT 1 AS n")
    assert await questions.json_lines("SELECT 1 AS n") == b'{"n":1}\n'
