"""Which fields of a record, and which of the worker's tables, name a handset.

Erasures use these rules: the store deletes rows and rejects records by them, the worker removes
rows by them, and `twoway forget` counts rows by them. A test fails if a record, topic or table has
no rule.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline import records

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.records import Record

#: Numbers of this many digits are searched within octets (ITU-T E.164 6.1: at most 15 digits).
SHORTEST_NUMBER: Final = 8
LONGEST_NUMBER: Final = 15


class How(Enum):
    """How a record names its handset."""

    KEY = auto()  # by the key of the Kafka record; ClickHouse has it in the column `handset`
    DIGITS = auto()  # by a field that has only its digits
    ADDRESS = auto()  # by a field that others write, such as " +27… "
    WITHIN = auto()  # by digits somewhere in a field
    WITHIN_EACH = auto()  # by digits somewhere in a field of each element of a list


class Naming(NamedTuple):
    """A place in a record that may name a handset. For a list, `field` is `list.field`."""

    how: How
    field: str = "handset"


_DIGITS: Final = (Naming(How.DIGITS),)
_ADDRESS: Final = (Naming(How.ADDRESS),)

#: Records that belong to handsets. A record belongs to every handset that one of its places names.
OF_RECORD: Final[Mapping[type[Record], tuple[Naming, ...]]] = {
    records.MoRaw: (Naming(How.KEY),),
    records.MoPart: _DIGITS,
    records.MoMessage: _DIGITS,
    records.ConsentChange: _DIGITS,
    records.MtRequest: (Naming(How.KEY), Naming(How.ADDRESS, "to")),
    records.MtCommand: _DIGITS,
    records.MtRejection: _DIGITS,
    records.MtResult: _DIGITS,
    records.MtAsk: _DIGITS,
    records.MtState: _DIGITS,
    records.MoDelivery: _DIGITS,
    records.MoDeliveryResult: _DIGITS,
    records.DeliveryRequest: (Naming(How.DIGITS), Naming(How.WITHIN, "octets")),
    records.ConsentRequest: _ADDRESS,
    records.ForgetRequest: _ADDRESS,
    records.DeadLetter: (
        Naming(How.DIGITS, "key"),
        Naming(How.WITHIN, "octets"),
        Naming(How.WITHIN, "words"),
        Naming(How.WITHIN_EACH, "headers.value"),
    ),
}
#: Records that belong to nobody, and why.
NOBODYS: Final[Mapping[type[Record], str]] = {
    records.DeadLetterRetry: "names the letter by its id",
    records.ReportAccess: "names a user, and no handset",
    records.Erasure: "names the handset by its suppression",
    records.Numbers: "our own numbers",
    records.AccountCharge: "names the message by its id",
    records.AccountEntry: "names the message by its id",
    records.AccountRelease: "names the message by its id",
    records.AccountCredit: "what an operator paid in",
    records.AccountNotice: "an account's balance",
    records.Clock: "a time",
}
#: Tables of ClickHouse that hold copies of columns of these records. A table of several records
#: says in its column `record` which topic a row is of. Its column `handset` is the record's.
COPIES: Final[Mapping[str, tuple[type[Record], ...]]] = {
    "conversation_line_rows": (records.MoMessage, records.MtCommand, records.MtRejection),
    "mt_last_state_rows": (records.MtState,),
    "review_line_rows": (records.MoMessage,),
}
#: Tables of ClickHouse that hold no records, and why no erasure has to delete their rows.
OTHER_TABLES: Final[Mapping[str, str]] = {
    "erasing": "the handset of an erasure, in memory; emptied at the end of the erasure",
    "migrations": "which migrations were applied",
}


class InTable(Enum):
    """To whom the rows of a worker's table belong."""

    KEY = auto()  # to the handset that is the row's key
    KEY_BEGINS = auto()  # to the handset with which the row's key begins
    VALUE = auto()  # to the handset that is the row's value
    VALUE_BEGINS = auto()  # to the handset with which the row's value begins
    HASHED = auto()  # to handsets that the hashes do not reveal; rows are deleted after the horizon
    NOBODYS = auto()


class TableRule(NamedTuple):
    """To whom the rows of a worker's table belong; `words` say what the rows hold."""

    whose: InTable
    words: str


#: Every table of the agent `conversation`, in the order in which an erasure names them.
OF_TABLE: Final[Mapping[str, TableRule]] = {
    "assemblies": TableRule(InTable.KEY_BEGINS, "parts of messages that are not complete"),
    "consents": TableRule(InTable.KEY, "what a handset stopped and opened"),
    "seen": TableRule(InTable.HASHED, "hashes of the parts that came, to recognise duplicates"),
    "requests": TableRule(
        InTable.HASHED, "ids of requests, as the application gave them, and hashes"
    ),
    "outbox": TableRule(InTable.KEY, "commands that wait to be sent, or whose fate is not known"),
    "sent": TableRule(InTable.KEY_BEGINS, "commands of the last days, and their ids"),
    "directory": TableRule(InTable.NOBODYS, "our own numbers"),
    "suppressions": TableRule(InTable.NOBODYS, "stops under the HMAC of a forgotten handset"),
    "held": TableRule(InTable.KEY_BEGINS, "messages that wait until they are paid"),
    "held_ids": TableRule(InTable.VALUE, "the ids of these messages"),
}
#: Every table of the agent `delivery`.
OF_DELIVERY_TABLE: Final[Mapping[str, TableRule]] = {
    "deliveries": TableRule(InTable.KEY_BEGINS, "what is handed on to applications, until it is"),
    "orders": TableRule(InTable.KEY_BEGINS, "attempts that are under way"),
    "waiting": TableRule(InTable.VALUE_BEGINS, "the lines in which deliveries wait"),
    "behind": TableRule(InTable.KEY_BEGINS, "deliveries behind another of their handset"),
    "commands": TableRule(InTable.KEY_BEGINS, "commands whose results are handed on"),
    "forgetting": TableRule(InTable.VALUE, "orders to forget that are not carried out yet"),
    "paths": TableRule(InTable.NOBODYS, "how each reply path stands"),
    "directory": TableRule(InTable.NOBODYS, "our own numbers"),
}
#: Every table of the agent `accounts`.
OF_ACCOUNTS_TABLE: Final[Mapping[str, TableRule]] = {
    "accounts": TableRule(InTable.NOBODYS, "the balance of each account"),
    "waiting": TableRule(InTable.NOBODYS, "charges that are not covered, by the message's id"),
    "booked": TableRule(InTable.NOBODYS, "what was charged lately, by the message's id"),
    "credits": TableRule(InTable.NOBODYS, "ids of credits"),
    "directory": TableRule(InTable.NOBODYS, "our own numbers"),
}
ERASED_TABLES: Final = tuple(
    name for name, rule in OF_TABLE.items() if rule.whose in (InTable.KEY, InTable.KEY_BEGINS)
)
HASHED_TABLES: Final = tuple(
    name for name, rule in OF_TABLE.items() if rule.whose is InTable.HASHED
)
