"""Makes clients of a ClickHouse server whose answers are bounded in octets and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect import common

from pipeline.store.clickhouse.answers import BoundedPool, reading_an_answer

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

    from pipeline.web.bounded_answer import AnswerBounds

CONNECT_SECONDS: Final = 10
#: The compression of inserts. Answers are not compressed: a small one could expand without bound.
COMPRESSION: Final = "lz4"
#: The octets that the driver reads ahead of the rows that it has made; by default ten times this.
AHEAD_OCTETS: Final = 1 << 20


class ClickHouseServer:
    """Makes clients; they share connections, which `close` ends."""

    def __init__(self, url: str, bounds: AnswerBounds) -> None:
        common.set_setting("http_buffer_size", AHEAD_OCTETS)
        self._pool = BoundedPool(bounds)
        self._target = target_from_url(url) | {
            "pool_mgr": self._pool,
            "compress": False,
            "connect_timeout": CONNECT_SECONDS,
            "send_receive_timeout": bounds.seconds,
        }

    def client(self, **given: Any) -> Client:
        """A new client; it asks the server for its version and its settings."""
        with reading_an_answer():
            client = clickhouse_connect.get_client(**self._target, **given)
        client.write_compression = COMPRESSION
        return client

    def close(self) -> None:
        """End the connections."""
        self._pool.clear()


def target_from_url(url: str) -> dict[str, Any]:
    """What the driver needs to reach `http[s]://[user[:password]@]host[:port]`."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return {
        "interface": "https" if secure else "http",
        "host": parts.hostname or "localhost",
        "port": parts.port or (8443 if secure else 8123),
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "autogenerate_session_id": False,
    }
