"""The table of G8.2: which sender the handset sees, and whether an answer can come back."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class SenderKind(StrEnum):
    """What the request names as sender: the rows of the table, and no sender, which has no row."""

    ALPHA = "alpha"
    NUMERIC = "numeric"  # digits that are no configured VMN
    VMN = "vmn"
    SHORT_CODE = "short-code"
    NONE = "none"


class Shown(StrEnum):
    """What the handset sees as sender."""

    AS_GIVEN = "as-given"  # the given sender; if the carrier does not support it, the message fails
    AS_GIVEN_OR_DEFAULT = "as-given-or-default"  # the given sender, or else a default number
    REGIONAL = "regional"  # the premium rate guide of the region decides
    DEFAULT = "default"  # a default number of Clickatell


class SenderIdOutcome(NamedTuple):
    """The outcome of a sender ID; `reply_possible` means that an answer can come back to us."""

    shown: Shown
    reply_possible: bool
    words: str


_ALPHA: Final = SenderIdOutcome(
    Shown.AS_GIVEN_OR_DEFAULT, False, "an alphanumeric sender cannot be answered (G8.2)"
)
_NUMERIC: Final = SenderIdOutcome(
    Shown.AS_GIVEN_OR_DEFAULT,
    False,
    "the sender is no number of ours: an answer would not come to us (G8.2)",
)
_NONE: Final = SenderIdOutcome(
    Shown.DEFAULT,
    False,
    "no sender could be chosen: the gateway sets its own number and no answer comes (G8.2)",
)
_WITHOUT_MO: Final = (
    "without mo=1 the gateway may set its own number: no answer is to be expected (G8.2)"
)

_TABLE: Final = {
    (SenderKind.ALPHA, True): _ALPHA,
    (SenderKind.ALPHA, False): _ALPHA,
    (SenderKind.NUMERIC, True): _NUMERIC,
    (SenderKind.NUMERIC, False): _NUMERIC,
    (SenderKind.VMN, True): SenderIdOutcome(
        Shown.AS_GIVEN, True, "a number of ours with mo=1: the answer comes back to it (G8.1)"
    ),
    (SenderKind.VMN, False): SenderIdOutcome(Shown.AS_GIVEN_OR_DEFAULT, False, _WITHOUT_MO),
    (SenderKind.SHORT_CODE, True): SenderIdOutcome(
        Shown.REGIONAL,
        True,
        "a short code of ours with mo=1: the region's premium rate guide applies (G8.2)",
    ),
    (SenderKind.SHORT_CODE, False): SenderIdOutcome(Shown.AS_GIVEN_OR_DEFAULT, False, _WITHOUT_MO),
    (SenderKind.NONE, True): _NONE,
    (SenderKind.NONE, False): _NONE,
}


def outcome_of_sender_id(kind: SenderKind, *, mo: bool) -> SenderIdOutcome:
    """The row of G8.2 for a sender ID of this kind with this mo parameter."""
    return _TABLE[kind, mo]


def may_be_answered(kind: SenderKind) -> bool:
    """Whether to set mo=1, because an answer could then come back (G8.1)."""
    return _TABLE[kind, True].reply_possible
