"""What each process may do on a broker that refuses everything else: its principal and its ACLs.

The topics come from `pipeline.kafka.readers`. `python -m deploy.kafka_acls` prints this as commands
of Kafka's own tool, and docs/kafka.md has it as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.kafka import readers, topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOPIC_KIND: Final = "topic"
GROUP_KIND: Final = "group"
TRANSACTION_KIND: Final = "transactional-id"
CLUSTER_KIND: Final = "cluster"
CLUSTER_NAME: Final = "kafka-cluster"
ANY: Final = "*"
#: Two people, or two windows of the report, retry dead letters one after the other.
RETRY_TRANSACTION: Final = "twoway-dead-letter-retry"
#: Our groups and transactions have it, and those of other programs must not.
OURS: Final = "twoway-"

# Kafka's names of operations. Each of the first three includes Describe.
READ: Final = "Read"
WRITE: Final = "Write"
ALTER: Final = "Alter"
CREATE: Final = "Create"
DESCRIBE: Final = "Describe"
DESCRIBE_CONFIGS: Final = "DescribeConfigs"
ALTER_CONFIGS: Final = "AlterConfigs"
ALL_OF_IT: Final = "All"


@dataclass(frozen=True, order=True)
class Permission:
    """One entry of the table; `is_prefix`: for every name that begins so."""

    kind: str
    name: str
    operation: str
    is_prefix: bool = False
    is_denied: bool = False


def _each(operation: str, names: Iterable[str]) -> Iterator[Permission]:
    return (Permission(TOPIC_KIND, name, operation) for name in names)


def _reads_in_group(group: str) -> Iterator[Permission]:
    yield from _each(READ, readers.READ_BY[group])
    yield Permission(GROUP_KIND, group, READ)


def _has_state(group: str, changelog: str) -> Iterator[Permission]:
    """One transaction for each partition; restores read the changelog and how it is kept."""
    yield Permission(TRANSACTION_KIND, f"{group}-", WRITE, is_prefix=True)
    yield from _each(READ, [changelog])
    yield from _each(DESCRIBE_CONFIGS, [changelog])


def _writes(process: str) -> Iterator[Permission]:
    return _each(WRITE, readers.WRITTEN_BY[process])


def _retries() -> Permission:
    return Permission(TRANSACTION_KIND, RETRY_TRANSACTION, WRITE)


def _table() -> Iterator[tuple[str, Iterable[Permission]]]:
    every = tuple(topics.topics())
    yield "ingest", (*_writes("ingest"), *_each(READ, readers.TAILED))
    # Its publisher is that of ingest, and asks for the partitions of the same topics.
    for way in ("smpp", "ftp"):
        yield way, (*_writes(way), *_each(DESCRIBE, readers.PUBLISHED))
    yield (
        "worker",
        (
            *_writes("worker"),
            *_reads_in_group(readers.CONVERSATION),
            *_has_state(readers.CONVERSATION, topics.CONVERSATION_CHANGELOG),
        ),
    )
    yield (
        "sender",
        (
            *_writes("sender"),
            *_reads_in_group(readers.SENDER),
            *_reads_in_group(readers.NOTICE_MAIL),
        ),
    )
    yield (
        "deliver",
        (
            *_writes("deliver"),
            *_reads_in_group(readers.DELIVERY),
            *_has_state(readers.DELIVERY, topics.DELIVERY_CHANGELOG),
        ),
    )
    yield (
        "accounts",
        (
            *_writes("accounts"),
            *_reads_in_group(readers.ACCOUNTS),
            *_has_state(readers.ACCOUNTS, topics.ACCOUNTS_CHANGELOG),
        ),
    )
    yield "store", (*_writes("store"), *_reads_in_group(readers.STORE), _retries())
    # The command line: it shows every topic and group, and removes a worker from its group.
    yield (
        "twoway",
        (
            *_writes("twoway"),
            *_each(READ, every),
            *_each(DESCRIBE_CONFIGS, every),
            Permission(GROUP_KIND, OURS, READ, is_prefix=True),
            _retries(),
        ),
    )
    # `python -m deploy.create_topics`, at each installation and upgrade.
    yield (
        "topics",
        (
            *(
                permission
                for operation in (CREATE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS)
                for permission in _each(operation, every)
            ),
            Permission(CLUSTER_KIND, CLUSTER_NAME, DESCRIBE),
        ),
    )
    # Programs of others: they read, by any group but ours.
    yield (
        "reader",
        (
            *_each(READ, readers.FOR_OTHERS),
            Permission(GROUP_KIND, ANY, READ),
            Permission(GROUP_KIND, OURS, ALL_OF_IT, is_prefix=True, is_denied=True),
        ),
    )


#: What each process may do, in the order in which the commands and the page show it.
PERMISSIONS: Final[dict[str, tuple[Permission, ...]]] = {
    process: tuple(dict.fromkeys(permissions)) for process, permissions in _table()
}


def principal_of(process: str) -> str:
    """The user of a process where an installation gives it no other name."""
    return f"{OURS}{process}"
