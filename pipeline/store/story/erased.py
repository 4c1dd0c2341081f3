"""Reads the erasures of a handset: the time, the person who ordered it, and the kept stops."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pipeline.store.story.asking import Asking

_TIME: Final = "formatDateTime({0}, '%FT%T.%fZ', 'UTC')"
_ANYONE: Final = "SELECT count() AS n FROM erasure"
_ERASURES: Final = f"""\
SELECT {_TIME.format("at")} AS erased_at, actor, reason, arrayMap(stop -> (stop.scope_kind,
    stop.scope, stop.state, stop.gateway_state, {_TIME.format("stop.since")}), stops) AS kept
FROM erasure WHERE suppression = {{suppression:String}} ORDER BY at, kafka_offset"""  # noqa: S608


class StopThatStays(msgspec.Struct, frozen=True, array_like=True):
    """A scope that stays stopped."""

    scope_kind: str
    scope: str
    state: str
    gateway_state: str
    since: datetime


class ErasureKnown(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure of the handset."""

    erased_at: datetime
    actor: str
    reason: str
    kept: list[StopThatStays]


def asking_anyone_erased() -> Asking[bool]:
    """Whether any handset was ever forgotten."""
    found = yield _ANYONE, {}
    return bool(found[0]["n"])


def asking_erasures(suppression: bytes) -> Asking[list[ErasureKnown]]:
    """The erasures of the handset with this suppression, oldest first."""
    found = yield _ERASURES, {"suppression": suppression.hex()}
    return [msgspec.convert(dict(row), ErasureKnown) for row in found]
