"""Makes the dead letter of input that was refused before it became a record."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from pipeline.records import DeadLetter, Header, Rejected, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


def letter_from_refused(
    rejected: Rejected,
    *,
    octets: bytes,
    source: str,
    at: datetime,
    headers: Sequence[Header] = (),
) -> DeadLetter:
    """The dead letter of a request, a deliver_sm or a log line, which has no topic and offset."""
    return DeadLetter(
        dead_letter_id=secrets.token_hex(16),
        topic="",
        partition=-1,
        offset=-1,
        key=None,
        headers=list(headers),
        octets=octets,
        source=source,
        stage=Stage.INGEST,
        reason=rejected.reason,
        words=rejected.words,
        at=at,
    )
