"""A backup with a multiple of its partitions: which of the new ones take a record.

The partition of a key is a hash of it modulo the number of partitions. With a multiple of the
number, each new partition takes from one old partition, its parent, and from no other. So order,
offsets and points of the parent hold in its children (deploy/decisions/0163).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from pipeline.accounts import tables as accounts
from pipeline.cli.backup.record_file import BackupBroken
from pipeline.conversation import tables as conversation
from pipeline.delivery.agent import tables as delivery
from pipeline.engine.state.tables import row_from_octets
from pipeline.kafka import topics
from pipeline.kafka.topics import partition_of
from pipeline.stages.account.row import decode_booked, decode_credit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.cli.backup.record_file import SavedRecord

#: The tables of each changelog, in the order of their numbers.
TABLES_OF: Final = {
    topics.CONVERSATION_CHANGELOG: conversation.TABLES,
    topics.DELIVERY_CHANGELOG: delivery.DELIVERY_TABLES,
    topics.ACCOUNTS_CHANGELOG: accounts.ACCOUNT_TABLES,
}
_BY_KEY: Final = frozenset({"handset", "account"})
_TO_ALL: Final = frozenset({"partition"})


class Family(NamedTuple):
    """An old partition, how many there were, and how many there are to be."""

    parent: int
    before: int
    wanted: int

    @property
    def children(self) -> range:
        """The new partitions that take from this one."""
        return range(self.parent, self.wanted, self.before)

    def child_of(self, key: bytes) -> int:
        """The new partition of a key. A key that was in a wrong partition stays with the parent."""
        found = partition_of(key, self.wanted)
        return found if found % self.before == self.parent else self.parent


def children_of(topic: str, record: SavedRecord, family: Family) -> Sequence[int]:
    """The new partitions that take a record; raises `BackupBroken` for a row that is not known."""
    if topic in TABLES_OF:
        return _children_of_row(topic, record, family)
    kind = topics.topics()[topic].key
    if kind in _TO_ALL:
        return family.children
    if kind in _BY_KEY and record.key is not None:
        return (family.child_of(record.key),)
    return (family.parent,)


def _children_of_row(topic: str, record: SavedRecord, family: Family) -> Sequence[int]:
    """Where a row of a changelog goes: to whom it belongs, or to every child."""
    key = record.key or b"\0"
    if key[0] == 0:  # the point, and which tables were scrubbed
        return family.children
    tables = TABLES_OF[topic]
    if key[0] > len(tables):
        raise BackupBroken(f"{topic} has rows of a table that this release does not know")
    owner = _OWNERS[topic].get(tables[key[0] - 1])
    if owner is None:
        return family.children
    found = owner(key[1:], record.value)
    return family.children if found is None else (family.child_of(found),)


def _key(key: bytes, _value: bytes | None) -> bytes | None:
    return key


def _before(separator: bytes) -> Callable[[bytes, bytes | None], bytes | None]:
    return lambda key, _value: key.partition(separator)[0]


def _assembled(key: bytes, _value: bytes | None) -> bytes | None:
    """The handset, with which the key of an assembly begins in msgpack."""
    handset: str = msgspec.msgpack.decode(key)[0]
    return handset.encode()


def _booked(_key: bytes, value: bytes | None) -> bytes | None:
    return None if value is None else decode_booked(row_from_octets(value).value).account.encode()


def _credited(_key: bytes, value: bytes | None) -> bytes | None:
    return None if value is None else decode_credit(row_from_octets(value).value).account.encode()


#: Who owns a row of each table, by key and value: a handset or an account, as it keys records.
#: None: nobody can tell. A table that is not named goes to every child: hashes, and the directory.
_OWNERS: Final[dict[str, dict[str, Callable[[bytes, bytes | None], bytes | None]]]] = {
    topics.CONVERSATION_CHANGELOG: {
        conversation.CONSENTS: _key,
        conversation.OUTBOX: _key,
        conversation.SENT: _before(b"/"),
        conversation.ASSEMBLIES: _assembled,
    },
    topics.DELIVERY_CHANGELOG: {delivery.COMMAND_ROWS: _before(b"\0")},
    topics.ACCOUNTS_CHANGELOG: {
        accounts.ACCOUNT_ROWS: _key,
        accounts.BOOKED_ROWS: _booked,
        accounts.CREDIT_ROWS: _credited,
    },
}
#: Tables that must have no row, and what to do about those that have. Their rows name partitions,
#: places in a queue, or each other.
MUST_BE_EMPTY: Final = {
    topics.CONVERSATION_CHANGELOG: {
        conversation.HELD_MESSAGES: "messages wait to be paid: book a credit",
        conversation.HELD_IDS: "messages wait to be paid: book a credit",
    },
    topics.DELIVERY_CHANGELOG: dict.fromkeys(
        (
            delivery.DELIVERY_ROWS,
            delivery.ORDER_ROWS,
            delivery.PLACE_ROWS,
            delivery.BEHIND_ROWS,
            delivery.FORGET_ROWS,
        ),
        "deliveries are open: let them be handed on, or be given up",
    ),
    topics.ACCOUNTS_CHANGELOG: {
        accounts.WAITING_ROWS: "charges wait to be covered: book a credit",
    },
}
