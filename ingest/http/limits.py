"""The limits of one ingest process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CONNECTIONS: Final = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one process. Beyond them the answer is 503, 408 or 413."""

    body_octets: int = 65_536
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    linger_seconds: float = 2.0
    connections: int = CONNECTIONS
    requests: int = 4_096
    octets: int = 32 * 1024 * 1024
