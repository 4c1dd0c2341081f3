"""What the stand-in can do wrong: the name of each fault, by which ways, and its magic handset."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from pipeline.gateway.faults import MAGIC


class Group(StrEnum):
    """What a fault changes. Of each group a message meets one fault at most."""

    ANSWER = "answer"  # to what the product submits; its first handset counts
    REFUSAL = "refusal"  # of a message to one handset
    CONNECTION = "connection"  # before anything is said on it
    STATUS = "status"
    HANDSET = "handset"  # what a handset sends, as it is handed over


HTTP_WAYS: Final = ("http", "xml", "soap")
WAYS: Final = (*HTTP_WAYS, "smpp", "smtp", "ftp")
HANDED_WAYS: Final = (*HTTP_WAYS, "smpp", "ftp")  # by which a handset's message is handed over


class Kind(NamedTuple):
    """A fault. `values` are the keys of a rule that say more of it, beside those of every rule."""

    name: str
    group: Group
    digits: str  # the last of its magic handset
    words: str
    ways: tuple[str, ...]
    values: tuple[str, ...] = ()

    @property
    def handset(self) -> str:
        """The handset that always meets it."""
        return MAGIC + self.digits


KINDS: Final = (
    Kind(
        "lose-answer",
        Group.ANSWER,
        "0001",
        "The message is taken, and the connection ends without an answer.",
        WAYS,
    ),
    Kind(
        "reset-before-read",
        Group.ANSWER,
        "0002",
        "The connection ends; nothing was taken.",
        WAYS,
    ),
    Kind(
        "cut-answer",
        Group.ANSWER,
        "0003",
        "The message is taken, and the answer ends after 4 octets.",
        WAYS,
        ("octets",),
    ),
    Kind(
        "html",
        Group.ANSWER,
        "0004",
        "The message is taken, and the answer is a page of HTML.",
        HTTP_WAYS,
    ),
    Kind(
        "huge",
        Group.ANSWER,
        "0005",
        "The message is taken, and the answer has 10 MB.",
        WAYS,
        ("octets",),
    ),
    Kind(
        "hang",
        Group.ANSWER,
        "0006",
        "The message is taken, and no answer comes.",
        WAYS,
        ("seconds",),
    ),
    Kind(
        "slow",
        Group.ANSWER,
        "0007",
        "The message is taken, and an octet of the answer comes a second.",
        WAYS,
        ("seconds",),
    ),
    Kind(
        "busy",
        Group.ANSWER,
        "0008",
        "Not now (503, 451, 450, queue full): nothing was taken.",
        WAYS,
    ),
    Kind(
        "wrong-charset",
        Group.ANSWER,
        "0015",
        "The message is taken, and the answer is EBCDIC that is called UTF-8.",
        HTTP_WAYS,
    ),
    Kind(
        "wrong-certificate",
        Group.CONNECTION,
        "0016",
        "TLS begins with the certificate of another authority.",
        WAYS,
    ),
    Kind(
        "throttle",
        Group.REFUSAL,
        "0009",
        "ERR 130: too many messages for now.",
        WAYS,
        ("seconds", "until"),
    ),
    Kind(
        "refuse",
        Group.REFUSAL,
        "0114",
        "Refused by an error code; by the switch, ERR 114.",
        WAYS,
        ("code",),
    ),
    Kind(
        "status-never",
        Group.STATUS,
        "0010",
        "No status is ever pushed.",
        WAYS,
    ),
    Kind(
        "status-twice",
        Group.STATUS,
        "0011",
        "Each status is pushed twice.",
        WAYS,
    ),
    Kind(
        "status-disorder",
        Group.STATUS,
        "0012",
        "The last status is pushed first.",
        (*HTTP_WAYS, "smtp", "ftp"),  # of SMPP there is one receipt
    ),
    Kind(
        "status-late",
        Group.STATUS,
        "0013",
        "Statuses come three days later.",
        WAYS,
        ("days",),
    ),
    Kind(
        "undelivered",
        Group.STATUS,
        "0014",
        "The handset does not get the message: status 007.",
        WAYS,
    ),
    Kind(
        "mo-twice",
        Group.HANDSET,
        "0021",
        "Each part of a handset's message is handed over twice.",
        HANDED_WAYS,
    ),
    Kind(
        "mo-disorder",
        Group.HANDSET,
        "0022",
        "The parts of a handset's message come in reverse order.",
        HANDED_WAYS,
    ),
    Kind(
        "mo-late",
        Group.HANDSET,
        "0023",
        "A handset's message is handed over an hour late, as a retry.",
        HANDED_WAYS,
        ("minutes",),
    ),
    Kind(
        "mo-split",
        Group.HANDSET,
        "0024",
        "The last part of a long message of a handset never comes.",
        HANDED_WAYS,
    ),
    Kind(
        "mo-charset",
        Group.HANDSET,
        "0025",
        "A handset's message names a charset that its octets are not in.",
        (*HTTP_WAYS, "ftp"),
    ),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
