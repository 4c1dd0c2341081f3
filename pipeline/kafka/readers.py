"""The consumer groups, and the topics that each group reads.

Agents, store and command line take groups and topics from here. A test compares `READ_BY` with
`schemas/topics.toml`, and fails for a topic that no group reads.
"""

from __future__ import annotations

from typing import Final

from pipeline.kafka import topics

CONVERSATION: Final = "twoway-conversation"
STORE: Final = "twoway-store"

#: The topics that each group reads. The order of the conversation's topics is a rank: of records
#: with the same broker time, the record of the topic named first is taken first.
READ_BY: Final[dict[str, tuple[str, ...]]] = {
    CONVERSATION: (
        topics.MO_RAW,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.NUMBERS,
        topics.CLOCK,
    ),
    STORE: (
        topics.MO_RAW,
        topics.MO_PART,
        topics.MO_MESSAGE,
        topics.CONSENT_CHANGE,
        topics.MT_REQUEST,
        topics.MT_COMMAND,
        topics.MT_REJECTION,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.ERASURE,
        topics.NUMBERS,
        topics.DEAD_LETTER,
        topics.DEAD_LETTER_RETRY,
    ),
}
#: Topics that no group reads: a new owner of a partition reads the changelog without a group.
CHANGELOGS: Final = frozenset({topics.CONVERSATION_CHANGELOG})
#: Topics whose records may be deleted unread: the next tick makes up for a missing tick.
MAY_SKIP: Final = frozenset({topics.CLOCK})
