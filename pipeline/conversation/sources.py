"""The topics that the agent `conversation` reads."""

from __future__ import annotations

from typing import Final

from pipeline.kafka import topics

#: In rank order: at the same broker time the first is taken first.
SOURCES: Final = (
    topics.MO_RAW,
    topics.MT_REQUEST,
    topics.MT_RESULT,
    topics.CONSENT_REQUEST,
    topics.FORGET_REQUEST,
    topics.NUMBERS,
    topics.CLOCK,
)
#: Topics whose records may be deleted unread: a tick that is gone is made up for by the next.
MAY_SKIP: Final = frozenset({topics.CLOCK})
