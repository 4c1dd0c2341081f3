"""Makes clients of a ClickHouse server whose answers are bounded in octets and time."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect import common

from pipeline.settings import SettingsError
from pipeline.store.clickhouse.answers import BoundedPool, reading_an_answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from pipeline.web.bounded_answer import AnswerBounds

CONNECT_SECONDS: Final = 10
#: The compression of inserts. Answers are not compressed: a small one could expand without bound.
COMPRESSION: Final = "lz4"
#: The octets that the driver reads ahead of the rows that it has made; by default ten times this.
AHEAD_OCTETS: Final = 1 << 20


class ClickHouseServer:
    """Makes clients; they share connections, which `close` ends."""

    def __init__(
        self, url: str, bounds: AnswerBounds, *, user: str = "", password: str = "", ca: str = ""
    ) -> None:
        """`user` and `password` replace those of the URL; `ca` is a file of certificates.

        Raises `SettingsError` where they cannot be used.
        """
        common.set_setting("http_buffer_size", AHEAD_OCTETS)
        target = target_from_url(url, user=user, password=password)
        self._pool = BoundedPool(bounds, tls=tls_to(target, ca))
        self._target = target | {
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


def target_from_url(url: str, *, user: str = "", password: str = "") -> dict[str, Any]:
    """What the driver needs to reach `http[s]://[user[:password]@]host[:port]`.

    A `user` or a `password` replaces that of the URL. Raises `SettingsError` for another URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise SettingsError("clickhouse must be a URL with http:// or https://")
    secure = parts.scheme == "https"
    return {
        "interface": "https" if secure else "http",
        "host": parts.hostname or "localhost",
        "port": parts.port or (8443 if secure else 8123),
        "username": user or unquote(parts.username or "default"),
        "password": password or unquote(parts.password or ""),
        "autogenerate_session_id": False,
    }


def tls_to(target: Mapping[str, Any], ca: str) -> ssl.SSLContext | None:
    """TLS 1.2 or later with the name checked; None for http. Raises `SettingsError`."""
    if target["interface"] != "https":
        if ca:
            raise SettingsError("clickhouse_ca has no effect: clickhouse is a URL with http://")
        return None
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(f"clickhouse_ca: {ca}: {error.strerror or error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
