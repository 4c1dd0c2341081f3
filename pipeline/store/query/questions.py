"""Questions to ClickHouse, by any number of askers, from sessions that cannot write."""

from __future__ import annotations

import asyncio
import queue
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from clickhouse_connect.driver.exceptions import ClickHouseError

from pipeline.store.query.read_only import (
    Refused,
    check_tree,
    fenced_functions,
    statement_from_text,
)

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.store.clickhouse.database import Database

T = TypeVar("T")
Parameters = Mapping[str, Any]
Table = tuple[Sequence[str], Sequence[Sequence[Any]]]
SESSIONS: Final = 4
STRANGERS: Final = 2  # of these, at most so many for statements from outside: the page goes on
# An alias is in no category of its own.
_FUNCTIONS: Final = """\
SELECT f.name, toString(if(f.alias_to = '', f.categories, aliased.categories)), f.is_aggregate
FROM system.functions AS f LEFT JOIN system.functions AS aliased ON f.alias_to = aliased.name"""
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_]\w*")


class BadStatement(ValueError):
    """ClickHouse did not take the statement; the words are its own."""


class Questions:
    """A pool of read-only sessions. An engine call runs in a thread and holds one of them."""

    def __init__(self, database: Database) -> None:
        self._sessions: queue.SimpleQueue[Client] = queue.SimpleQueue()
        clients = [database.reading() for _ in range(SESSIONS)]
        self._fenced = fenced_functions(
            (str(name), str(category), bool(is_aggregate))
            for name, category, is_aggregate in clients[0].query(_FUNCTIONS).result_rows
        )
        found = clients[0].query("SELECT name FROM system.databases").result_rows
        self._databases = frozenset(name.lower() for (name,) in found) - {"twoway"}
        for client in clients:
            self._sessions.put(client)
        self._free = asyncio.Semaphore(SESSIONS)
        self._free_for_strangers = asyncio.Semaphore(STRANGERS)

    async def rows(self, sql: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """The rows of a statement of our own."""
        columns, rows = await self.table(sql, parameters)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    async def table(self, sql: str, parameters: Parameters | None = None) -> Table:
        """The columns' names and the rows of a statement of our own."""

        def ask(client: Client) -> Table:
            given = dict(parameters or {})
            answer = client.query(sql, parameters=given, tz_mode="aware")
            if answer.result_rows:
                return answer.column_names, answer.result_rows
            # The embedded engine gives no names where there are no rows.
            described = client.query(f"DESCRIBE TABLE ({sql})", parameters=given).result_rows
            return [str(row[0]) for row in described], []

        return await self._asked(ask)

    async def json_lines(self, text: str, parameters: Parameters | None = None) -> bytes:
        """The answer to anyone's statement, a line of JSON a row.

        Raises `Refused` or `BadStatement`.
        """
        statement = statement_from_text(text)
        given = _parameters_for(statement, parameters or {})
        async with self._free_for_strangers:
            return await self._asked(lambda client: self._answer(client, statement, given))

    async def _asked(self, ask: Callable[[Client], T]) -> T:
        async with self._free:
            return await asyncio.to_thread(self._with_session, ask)

    def _with_session(self, ask: Callable[[Client], T]) -> T:
        client = self._sessions.get()
        try:
            return ask(client)
        finally:
            self._sessions.put(client)

    def _answer(self, client: Client, statement: str, parameters: dict[str, Any]) -> bytes:
        try:
            # Not `query`: it would put a FORMAT of its own into the tree.
            tree = client.command(f"EXPLAIN AST {statement}", parameters=parameters or None)
            check_tree(str(tree).split("\n"), fenced=self._fenced, databases=self._databases)
            answer = client.raw_query(statement, parameters=parameters or None, fmt="JSONEachRow")
        except ClickHouseError as error:
            raise BadStatement(" ".join(str(error).split())) from error
        return bytes(answer)


def _parameters_for(statement: str, parameters: Parameters) -> dict[str, Any]:
    """The parameters, each of which the statement must name: the driver would paste others in."""
    for name in parameters:
        if not _PARAMETER_NAME.fullmatch(name):
            raise Refused(f"{name!r} is no name of a parameter")
        if not re.search(r"\{\s*" + name + r"\s*:", statement):
            raise Refused(f"the statement has no parameter {{{name}:Type}}")
    return dict(parameters)
