"""ClickHouse, embedded or as a server: one client that writes, and clients that only read."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

import clickhouse_connect
from clickhouse_connect.driver import options
from clickhouse_connect.driver.exceptions import OperationalError

from pipeline.store.clickhouse.allocators import give_memory_back
from pipeline.store.clickhouse.folder import Folder
from pipeline.store.clickhouse.meanings import comment_columns
from pipeline.store.clickhouse.migrations import MIGRATIONS_FOLDER, migrate, migrations_in
from pipeline.store.clickhouse.server import ClickHouseServer
from pipeline.web.bounded_answer import AnswerBounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from clickhouse_connect.driver.client import Client

    from pipeline.settings import Settings

FOLDER_NAME: Final = "clickhouse"
INSERTS_NAME: Final = f"{FOLDER_NAME}.inserts"
DATABASE: Final = "twoway"
START_SECONDS: Final = 120  # how long a server may take to come up
RETRY_SECONDS: Final = 1.0
QUERY_SECONDS: Final = 25
#: Users, roles and grants of the embedded engine. Without this folder the engine would read those
#: in its working folder.
ENGINE: Final = MIGRATIONS_FOLDER / "engine"
RESULT_ROWS: Final = 1_000_000
RESULT_OCTETS: Final = 128 << 20
QUERY_OCTETS: Final = 2 << 30
#: What a server is asked beside questions: types of columns, names, counts.
OTHER_OCTETS: Final = 1 << 20
#: The answer to a question is there so long after its time at most.
LAG_SECONDS: Final = 5

#: Settings of every query of a reader. A query cannot change them: readonly=1 refuses SETTINGS too.
_READING: Final[dict[str, int | str]] = {
    "max_execution_time": QUERY_SECONDS,
    "max_result_rows": RESULT_ROWS,
    "max_result_bytes": RESULT_OCTETS,
    "result_overflow_mode": "throw",
    "max_memory_usage": QUERY_OCTETS,
    # A page reads the columns by which it is sorted, and of its own rows the others.
    "query_plan_max_limit_for_lazy_materialization": 1_000,
    # A condition on the columns that a table is sorted by is met before FINAL merges rows.
    "optimize_move_to_prewhere_if_final": 1,
    "output_format_json_validate_utf8": 1,
    "output_format_json_quote_64bit_integers": 0,
    "output_format_json_escape_forward_slashes": 0,
    "output_format_json_named_tuples_as_objects": 1,
    "readonly": 1,
}


class Database:
    """The ClickHouse database of this process. Call `close` at the end."""

    def __init__(self, settings: Settings) -> None:
        """Open the database and apply migrations; raises `FolderTaken` or `MigrationRefused`."""
        _leave_pandas_out()
        self._stack = ExitStack()
        self._readers: set[Client] = set()
        self._readers_lock = threading.Lock()
        with ExitStack() as opening:
            if settings.clickhouse:
                seconds = settings.clickhouse_seconds
                self._connect = self._server(settings, opening, OTHER_OCTETS, seconds)
                self._connect_reading = self._server(
                    settings, opening, RESULT_OCTETS, QUERY_SECONDS + LAG_SECONDS
                )
            else:
                target = self._own_folder(settings.home / FOLDER_NAME, opening)
                self._connect = partial(clickhouse_connect.get_client, **target)
                self._connect_reading = self._connect
            self.is_embedded = not settings.clickhouse
            first = client_when_up(self._connect)
            opening.callback(first.close)
            migrate(first, migrations_in())
            comment_columns(first)
            self.writing = self._connect(database=DATABASE)
            opening.callback(self.writing.close)
            found = self.writing.query("SELECT name FROM system.databases").result_rows
            #: Names of all databases but ours and `system`, in lower case.
            self.other_databases = frozenset(name.lower() for (name,) in found) - {
                DATABASE,
                "system",
            }
            opening.callback(self._close_readers)
            self._stack = opening.pop_all()

    @staticmethod
    def _server(
        settings: Settings, opening: ExitStack, octets: int, seconds: float
    ) -> Callable[..., Client]:
        server = ClickHouseServer(
            settings.clickhouse,
            AnswerBounds(octets=octets, seconds=seconds),
            user=settings.clickhouse_user,
            password=settings.clickhouse_password,
            ca=settings.clickhouse_ca,
        )
        opening.callback(server.close)
        return server.client

    @staticmethod
    def _own_folder(path: Path, opening: ExitStack) -> dict[str, Any]:
        give_memory_back()
        folder = Folder(path)
        opening.callback(folder.unlock)
        # The driver hands inserts to the embedded engine in temporary files: they hold messages, so
        # they belong in the home, and what a killed process left behind is removed.
        inserts = path.with_name(INSERTS_NAME)
        inserts.mkdir(mode=0o700, exist_ok=True)
        for left in inserts.iterdir():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        before = tempfile.tempdir
        tempfile.tempdir = str(inserts)
        opening.callback(setattr, tempfile, "tempdir", before)
        return {
            "interface": "chdb",
            "path": str(path),
            "chdb_options": {
                "config-file": str(ENGINE / "config.xml"),
                "users_config": str(ENGINE / "users.xml"),
            },
        }

    def reading(self) -> Client:
        """A new client that cannot write, for one query at a time. `drop` or `close` closes it."""
        if not self.is_embedded:
            client = self._connect_reading(database=DATABASE, settings=_READING)
        else:
            # Set in the session: the driver's own way is a clause that a query can override.
            client = self._connect_reading(database=DATABASE)
            client.command(f"USE {DATABASE}")
            client.command("SET ROLE NONE")  # leaves only the grant to read our own tables
            wanted = ", ".join(f"{name} = {value!r}" for name, value in _READING.items())
            client.command(f"SET {wanted}")
        with self._readers_lock:
            self._readers.add(client)
        return client

    def drop(self, client: Client) -> None:
        """Close a client of `reading`; an answer that was not read yet is lost."""
        with self._readers_lock:
            self._readers.discard(client)
        client.close()

    def _close_readers(self) -> None:
        with self._readers_lock:
            readers, self._readers = self._readers, set()
        for client in readers:
            client.close()

    def close(self) -> None:
        """Close every client, then give up the folder."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _leave_pandas_out() -> None:
    """Tell the driver that there is no pandas; the embedded engine asks for it, nothing here does.

    At the first insert the driver would load pandas, to ask whether the rows are a frame of it.
    """
    options.pd = options.pd_time_test = None


def client_when_up(connect: Callable[[], Client]) -> Client:
    """The first client: a server that is coming up is waited for."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return connect()
        except OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(RETRY_SECONDS)
