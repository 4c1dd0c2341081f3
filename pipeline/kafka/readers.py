"""Who reads which topic, and who writes it: the consumer groups, and every list of topics.

Agents, store, ingest and command line take groups and topics from here. A test compares `READ_BY`
with `schemas/topics.toml`: a topic that no group reads fails it.
"""

from __future__ import annotations

from typing import Final

from pipeline.kafka import topics

CONVERSATION: Final = "twoway-conversation"
STORE: Final = "twoway-store"
SENDER: Final = "twoway-sender"
DELIVERY: Final = "twoway-delivery"
ACCOUNTS: Final = "twoway-accounts"
NOTICE_MAIL: Final = "twoway-notices"

#: The topics that each group reads. The order of the conversation's topics is a rank: of records
#: with the same broker time, the record of the topic named first is taken first.
READ_BY: Final[dict[str, tuple[str, ...]]] = {
    CONVERSATION: (
        topics.MO_RAW,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.MT_ASK,
        topics.ACCOUNT_RELEASE,
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
        topics.MT_STATE,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.ERASURE,
        topics.MO_DELIVERY,
        topics.MO_DELIVERY_RESULT,
        topics.DELIVERY_REQUEST,
        topics.ACCOUNT_CHARGE,
        topics.ACCOUNT_CREDIT,
        topics.ACCOUNT_ENTRY,
        topics.ACCOUNT_RELEASE,
        topics.ACCOUNT_NOTICE,
        topics.NUMBERS,
        topics.DEAD_LETTER,
        topics.DEAD_LETTER_RETRY,
        topics.REPORT_ACCESS,
    ),
    SENDER: (topics.MT_COMMAND, topics.MT_STATE),
    DELIVERY: (
        topics.NUMBERS,
        topics.MO_PART,
        topics.MO_MESSAGE,
        topics.CONSENT_CHANGE,
        topics.MT_COMMAND,
        topics.MT_REJECTION,
        topics.MT_STATE,
        topics.MO_DELIVERY_RESULT,
        topics.DELIVERY_REQUEST,
        topics.FORGET_REQUEST,
        topics.ERASURE,
        topics.CLOCK,
    ),
    ACCOUNTS: (
        topics.NUMBERS,
        topics.ACCOUNT_CREDIT,
        topics.ACCOUNT_CHARGE,
        topics.CLOCK,
    ),
    NOTICE_MAIL: (topics.ACCOUNT_NOTICE,),
}
#: Topics that no group reads: a new owner of a partition reads the changelog without a group.
CHANGELOGS: Final = frozenset(
    {topics.CONVERSATION_CHANGELOG, topics.DELIVERY_CHANGELOG, topics.ACCOUNTS_CHANGELOG}
)
#: Topics whose records may be deleted unread: the next tick makes up for one that is gone, and a
#: sender asks again.
MAY_SKIP: Final = frozenset({topics.CLOCK, topics.MT_ASK})
#: The same of `twoway deliver`, which may not have run for longer than Kafka keeps records: what
#: was deleted is not handed on. A result is not skipped, because its attempt would stay under way.
DELIVERY_MAY_SKIP: Final = frozenset(READ_BY[DELIVERY]) - {
    topics.MO_DELIVERY_RESULT,
    topics.DELIVERY_REQUEST,
}
#: The same of `twoway accounts`: a charge or a credit that was deleted unread would be money.
ACCOUNTS_MAY_SKIP: Final = frozenset({topics.CLOCK})
#: Read by every ingest process from a day ago on, without a group: the status of MT requests.
TAILED: Final = (
    topics.MT_REQUEST,
    topics.MT_COMMAND,
    topics.MT_REJECTION,
    topics.MT_RESULT,
    topics.MT_STATE,
)
#: Written by ingest.
PUBLISHED: Final = (topics.MO_RAW, topics.MT_REQUEST, topics.DEAD_LETTER)
#: The topics that each process writes; `twoway` is the command line. The worker sends a record that
#: came by another partition than its handset's on to the right one.
WRITTEN_BY: Final[dict[str, tuple[str, ...]]] = {
    "ingest": PUBLISHED,
    "smpp": (topics.MO_RAW, topics.DEAD_LETTER),
    "ftp": (topics.MO_RAW, topics.DEAD_LETTER),
    "worker": (
        topics.MO_PART,
        topics.MO_MESSAGE,
        topics.CONSENT_CHANGE,
        topics.MT_COMMAND,
        topics.MT_REJECTION,
        topics.MT_STATE,
        topics.ERASURE,
        topics.ACCOUNT_CHARGE,
        topics.DEAD_LETTER,
        topics.CLOCK,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.MT_ASK,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.CONVERSATION_CHANGELOG,
    ),
    # Decisions of people in the report.
    "sender": (topics.MT_ASK, topics.MT_RESULT),
    "deliver": (
        topics.MO_DELIVERY,
        topics.MO_DELIVERY_RESULT,
        topics.DEAD_LETTER,
        topics.DELIVERY_CHANGELOG,
    ),
    "accounts": (
        topics.ACCOUNT_ENTRY,
        topics.ACCOUNT_RELEASE,
        topics.ACCOUNT_NOTICE,
        topics.ACCOUNT_CHARGE,
        topics.ACCOUNT_CREDIT,
        topics.DEAD_LETTER,
        topics.ACCOUNTS_CHANGELOG,
    ),
    "store": (
        topics.MO_RAW,
        topics.DEAD_LETTER,
        topics.DEAD_LETTER_RETRY,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.REPORT_ACCESS,
    ),
    "twoway": (
        topics.MO_RAW,
        topics.DEAD_LETTER,
        topics.DEAD_LETTER_RETRY,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.FORGET_REQUEST,
        topics.DELIVERY_REQUEST,
        topics.ACCOUNT_CREDIT,
        topics.NUMBERS,
        topics.CLOCK,
    ),
}
#: For programs of others: what a record of ours says, and no copy of a row.
FOR_OTHERS: Final = (
    topics.MO_RAW,
    topics.MO_PART,
    topics.MO_MESSAGE,
    topics.CONSENT_CHANGE,
    topics.MT_REQUEST,
    topics.MT_COMMAND,
    topics.MT_REJECTION,
    topics.MT_RESULT,
    topics.MT_STATE,
    topics.MO_DELIVERY,
    topics.MO_DELIVERY_RESULT,
    topics.NUMBERS,
    topics.DEAD_LETTER,
)
#: Written by the worker and the services alone: what is unreadable there is of a wrong deploy.
#: Others may write every other topic, and what is unreadable in those never stops anything.
OURS_ALONE: Final = frozenset(
    {
        topics.MO_PART,
        topics.MO_MESSAGE,
        topics.CONSENT_CHANGE,
        topics.MT_COMMAND,
        topics.MT_REJECTION,
        topics.MT_STATE,
        topics.ERASURE,
        topics.MO_DELIVERY,
        topics.MO_DELIVERY_RESULT,
        topics.ACCOUNT_ENTRY,
        topics.ACCOUNT_RELEASE,
        topics.ACCOUNT_NOTICE,
        topics.DEAD_LETTER,
    }
)
#: The same record twice has one effect: a retry may send it again.
SENT_AGAIN: Final = frozenset(
    {
        topics.MO_RAW,
        topics.MT_REQUEST,
        topics.MT_RESULT,
        topics.CONSENT_REQUEST,
        topics.ACCOUNT_CHARGE,
        topics.ACCOUNT_CREDIT,
    }
)
#: Rows name a record of these by its offset: `raw_offset`, `order_offset`. A restore keeps it.
NAMED_BY_OFFSET: Final = frozenset({topics.MO_RAW, topics.FORGET_REQUEST})
