"""Queries to ClickHouse from a pool of sessions that cannot write."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

from pipeline.process.peer_words import peer_words, words_of_error
from pipeline.store.clickhouse.answers import read_whole, reading_an_answer
from pipeline.store.clickhouse.database import RESULT_OCTETS
from pipeline.store.query.functions import may_call
from pipeline.store.query.read_only import check_tree
from pipeline.store.query.statement_parameters import parameters_for
from pipeline.store.query.statement_text import Refused, check_words, statement_from_text

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.store.clickhouse.database import Database

T = TypeVar("T")
Parameters = Mapping[str, Any]
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]
SESSIONS: Final = 4
LINES: Final = "JSONEachRow"
ARROW: Final = "ArrowStream"
#: Of a stream of Arrow's IPC format: the mark before a message, and that of the end.
ARROW_BEGINS: Final = b"\xff\xff\xff\xff"
ARROW_ENDS: Final = b"\xff\xff\xff\xff\0\0\0\0"
TREE_OCTETS: Final = 4 << 20  # of a statement's tree, which a server tells
LONGEST_WORDS: Final = 1_000  # characters of ClickHouse's error that the caller gets
STRANGERS: Final = 2  # the most sessions for statements of analysts: the pages keep the others


class BadStatement(ValueError):
    """ClickHouse refused the statement; the words are ClickHouse's, cut and masked."""


class Questions:
    """A pool of read-only sessions. A query runs in a thread and holds one session."""

    def __init__(self, database: Database) -> None:
        self._sessions: queue.SimpleQueue[Client | None] = queue.SimpleQueue()  # None: make one
        self._database = database
        self._is_server = not database.is_embedded
        clients = [database.reading() for _ in range(SESSIONS)]
        with reading_an_answer():
            found = clients[0].query("SELECT name FROM system.functions").result_rows
            self.fenced = frozenset(name.lower() for (name,) in found if not may_call(name))
        self._databases = database.other_databases
        for client in clients:
            self._sessions.put(client)
        self._free = asyncio.Semaphore(SESSIONS)
        self._free_for_strangers = asyncio.Semaphore(STRANGERS)

    async def rows(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """The rows of a statement of our own."""
        columns, rows = await self.table(sql, parameters)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    async def table(self, sql: str, parameters: Parameters | None = None) -> Table:
        """The columns' names and the rows of a statement of our own.

        The embedded engine gives no names where there are no rows.
        """

        def ask(client: Client) -> Table:
            given = dict(parameters or {})
            with reading_an_answer():
                answer = client.query(sql, parameters=given, tz_mode="aware")
                return answer.column_names, answer.result_rows

        return await self._asked(ask)

    async def columns(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The answer to a statement of our own as a record batch of Arrow."""

        def ask(client: Client) -> Any:
            if self._is_server:
                ends = {"begins": ARROW_BEGINS, "ends": ARROW_ENDS}
                octets = self._whole(
                    client, sql, parameters, fmt=ARROW, octets=RESULT_OCTETS, **ends
                )
            else:
                octets = client.raw_query(sql, parameters=dict(parameters or {}), fmt=ARROW)
            with reading_an_answer():
                return batch_from_octets(octets)

        return await self._asked(ask)

    async def json_lines(self, text: str, parameters: Parameters | None = None) -> bytes:
        """The answer to an analyst's statement, one line of JSON for each row.

        Raises `Refused` or `BadStatement`.
        """
        statement = statement_from_text(text)
        given = parameters_for(statement, parameters or {})
        check_words(statement, fenced=self.fenced, databases=self._databases)
        async with self._free_for_strangers:
            return await self._asked(lambda client: self._answer(client, statement, given))

    async def _asked(self, ask: Callable[[Client], T]) -> T:
        async with self._free:
            return await asyncio.to_thread(self._with_session, ask)

    def _with_session(self, ask: Callable[[Client], T]) -> T:
        """Ask in a session, and close the session after any error.

        Rows that were not read from it would otherwise come first in the answer to the next query.
        """
        kept: Client | None = None
        client = self._sessions.get()
        try:
            client = client or self._database.reading()
            result = ask(client)
            kept = client
        finally:
            if kept is None and client is not None:
                self._database.drop(client)
            self._sessions.put(kept)
        return result

    def _answer(self, client: Client, statement: str, parameters: dict[str, Any]) -> bytes:
        try:
            self._check_tree(self._tree_of(client, statement, parameters))
            return self._lines_of_json(client, statement, parameters)
        except ClickHouseError as error:
            if self._is_server and isinstance(error, OperationalError):
                raise  # it is away, or no ClickHouse
            raise BadStatement(words_of_error(error, limit=LONGEST_WORDS)) from error

    def _tree_of(self, client: Client, statement: str, parameters: dict[str, Any]) -> str:
        """The lines of EXPLAIN AST. Not by `query`: it would put a FORMAT of its own into them."""
        explain, given = f"EXPLAIN AST {statement}", parameters or None
        if not self._is_server:
            return str(client.command(explain, parameters=given))
        tree = self._whole(client, explain, given, octets=TREE_OCTETS)
        try:
            return tree.decode().removesuffix("\n")
        except UnicodeDecodeError:
            return str(tree)  # as the driver's own has it

    def _check_tree(self, tree: str) -> None:
        """Raises `Refused`, whose words may be the server's."""
        try:
            check_tree(tree.split("\n"), fenced=self.fenced, databases=self._databases)
        except Refused as error:
            raise Refused(peer_words(str(error), limit=LONGEST_WORDS)) from None

    def _lines_of_json(self, client: Client, statement: str, parameters: dict[str, Any]) -> bytes:
        given = parameters or None
        if not self._is_server:
            return bytes(client.raw_query(statement, parameters=given, fmt=LINES))
        line = {"begins": b"{", "ends": b"}\n"}
        return self._whole(client, statement, given, fmt=LINES, octets=RESULT_OCTETS, **line)

    @staticmethod
    def _whole(
        client: Client, sql: str, given: Parameters | None, *, fmt: str | None = None, **how: Any
    ) -> bytes:
        """A server's answer, read as far as it is one."""
        whole = {"wait_end_of_query": 1}  # an error is a status, and not the end of an answer
        parameters = dict(given) if given else None
        with reading_an_answer():
            answer = client.raw_stream(sql, parameters=parameters, fmt=fmt, settings=whole)
            return read_whole(answer, **how)


def batch_from_octets(octets: bytes) -> Any:
    """The rows of a stream of Arrow, whose octets are not trusted, as one batch."""
    import pyarrow as pa  # takes memory that a store without exports need not have

    with pa.ipc.open_stream(octets) as stream:
        table = stream.read_all().combine_chunks()
    table.validate(full=True)
    batches = table.to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
