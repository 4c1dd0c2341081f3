"""A ClickHouse server over HTTP for the store: the embedded engine answers its requests.

    python -m tests.hostile.peers.clickhouse_server PORT FOLDER

It ignores users and the limits of a statement, and knows only the settings of an insert.
"""

from __future__ import annotations

import ast
import sys
import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import clickhouse_connect
import lz4.frame
from clickhouse_connect.driver.exceptions import ClickHouseError

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_SETTINGS: Final = (
    "async_insert",
    "insert_deduplicate",
    "insert_deduplication_token",
    "max_partitions_per_insert_block",
    "mutations_sync",
)
_lock: Final = threading.Lock()


@cache
def client(folder: str, database: str | None) -> Client:
    """The client of the embedded engine for a database."""
    return clickhouse_connect.get_client(interface="chdb", path=folder, database=database)


def answer(folder: str, given: dict[str, str], body: bytes) -> bytes:
    """The body of the answer to a statement; raises `ClickHouseError`."""
    asked = client(folder, given.get("database"))
    settings = {name: given[name] for name in _SETTINGS if name in given}
    if body.startswith(b"INSERT") and b" FORMAT Native\n" in body:
        statement, _, block = body.partition(b" FORMAT Native\n")
        clause = ", ".join(f"{name} = '{value}'" for name, value in settings.items())
        with tempfile.NamedTemporaryFile(suffix=".native") as file:
            file.write(block)
            file.flush()
            into = statement.decode()
            asked.command(f"{into} FROM INFILE '{file.name}' SETTINGS {clause} FORMAT Native")
        return b""
    statement = body.decode() or given["query"]
    parameters = {
        name[6:]: ast.literal_eval(text) if text.startswith("[") else text
        for name, text in given.items()
        if name.startswith("param_")
    }
    if "FORMAT" in statement.rpartition("\n")[2]:
        return bytes(asked.raw_query(statement, parameters=parameters or None))
    found = asked.command(statement, parameters=parameters or None, settings=settings)
    if isinstance(found, int | str):
        return f"{found}\n".encode()
    return "\t".join(found).encode() + b"\n" if isinstance(found, list) else b""


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    folder = ""

    def do_POST(self) -> None:
        body = self._body()
        if self.headers.get("Content-Encoding") == "lz4":
            body = lz4.frame.decompress(body)
        try:
            with _lock:
                octets, status, code = answer(self.folder, self._given(), body), 200, None
        except ClickHouseError as error:
            octets, status, code = str(error).encode(), 500, getattr(error, "code", None)
        self.send_response(status)
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(code))
        self.send_header("X-ClickHouse-Query-Id", "1")
        self.send_header("X-ClickHouse-Summary", "{}")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    do_GET = do_POST  # noqa: N815 - http.server's name

    def _given(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


if __name__ == "__main__":
    Handler.folder = sys.argv[2]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
