"""Every fault of the stand-in: its name, its ways, and the test handset that always meets it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from pipeline.gateway.faults import MAGIC


class Group(StrEnum):
    """What a fault changes. A message meets at most one fault of each group."""

    ANSWER = "answer"  # the answer to a submission; its first handset decides
    REFUSAL = "refusal"  # whether a message to one handset is refused
    CONNECTION = "connection"  # the TLS handshake
    STATUS = "status"  # the statuses of a message
    HANDSET = "handset"  # how a handset's message is handed over


HTTP_WAYS: Final = ("http", "xml", "soap")
WAYS: Final = (*HTTP_WAYS, "smpp", "smtp", "ftp")
HANDED_WAYS: Final = (*HTTP_WAYS, "smpp", "ftp")  # the ways that hand over handsets' messages


class Kind(NamedTuple):
    """A fault. `values` are the keys that a rule for this fault has besides the common keys."""

    name: str
    group: Group
    digits: str  # the last four digits of its test handset
    words: str  # what happens, one sentence
    ways: tuple[str, ...]
    values: tuple[str, ...] = ()

    @property
    def handset(self) -> str:
        """The test handset that always meets the fault."""
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
        "Nothing is taken, and the connection ends.",
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
        "The message is taken, and one octet of the answer comes each second.",
        WAYS,
        ("seconds",),
    ),
    Kind(
        "busy",
        Group.ANSWER,
        "0008",
        "Nothing is taken, and the answer is to try later (503, 451, 450, queue full).",
        WAYS,
    ),
    Kind(
        "wrong-charset",
        Group.ANSWER,
        "0015",
        "The message is taken, and the answer is EBCDIC but is declared as UTF-8.",
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
        "The message is refused by ERR 130: too many messages for now.",
        WAYS,
        ("seconds", "until"),
    ),
    Kind(
        "refuse",
        Group.REFUSAL,
        "0114",
        "The message is refused by an error code; the switch refuses by ERR 114.",
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
        (*HTTP_WAYS, "smtp", "ftp"),  # by SMPP a message has one receipt only
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
