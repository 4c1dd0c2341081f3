"""A ClickHouse server, and clients of it whose answers are bounded."""

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
#: Blocks are sent so; answers are not compressed, for what they become is not bounded by what came.
COMPRESSION: Final = "lz4"
#: What the driver reads ahead of what it has made rows of: ten times as much, were it not set.
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
        """A new client; it asks the server what it is and which settings it has."""
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
