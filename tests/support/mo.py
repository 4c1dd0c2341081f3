"""Callbacks, raw events and parts for tests, by the gateway's own query strings."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec

from pipeline.directory.directory import Directory, numbers_from_toml
from pipeline.records import MoPart, MoRaw
from pipeline.stages.parts.dedupe import accept_part, seen_key
from pipeline.stages.parts.normalise import normalise
from pipeline.wire import mo_log
from pipeline.wire.callback import MoCallback
from pipeline.wire.http_form import render

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
HANDSET = "27821234567"
NUMBER = "447700900123"
DIRECTORY = Directory(
    numbers_from_toml(
        f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "12345"\n',
        origin="tests/support/mo.py",
        loaded_at=NOON,
    )
)


def timestamp(time: datetime) -> str:
    """`time` as the gateway states it."""
    return time.astimezone(timezone(timedelta(hours=2))).strftime("%Y-%m-%d %H:%M:%S")


def callback(text: str | bytes = "hello", **fields: Any) -> MoCallback:
    """A callback of our handset to our number."""
    octets = text if isinstance(text, bytes) else text.encode("latin-1")
    return MoCallback(**{"handset": HANDSET, "number": NUMBER, "octets": octets} | fields)


def raw(query: bytes, *, received_at: datetime = NOON, source: str = "http") -> MoRaw:
    """A raw event as ingest records it for a GET."""
    return MoRaw(
        source=source,
        received_at=received_at,
        method="GET",
        content_type="",
        query=query,
        octets=b"",
    )


def normalised(
    given: MoCallback,
    *,
    received_at: datetime = NOON,
    directory: Directory = DIRECTORY,
    source: str = "http",
) -> MoPart:
    """The part of a callback, not yet accepted; `source` is http or ftp."""
    event = raw(render(given), received_at=received_at)
    if source == "ftp":
        line = mo_log.render(given)
        event = msgspec.structs.replace(event, source=source, query=b"", octets=line)
    part = normalise(
        event,
        partition=0,
        offset=0,
        directory=directory,
        default_charset="ISO-8859-1",
    )
    assert isinstance(part, MoPart)
    return part


class Seen:
    """The table `seen`, as a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}

    def accept(self, part: MoPart) -> MoPart | None:
        """The part, if it is new."""
        key = seen_key(part)
        self.rows[key], accepted = accept_part(self.rows.get(key), part)
        return accepted


def accepted(given: MoCallback, *, received_at: datetime = NOON, source: str = "http") -> MoPart:
    """The part of a callback, accepted as the first of its kind."""
    part = Seen().accept(normalised(given, received_at=received_at, source=source))
    assert part is not None
    return part
