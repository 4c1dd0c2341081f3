"""A record as a line for `tail`, and whether it is asked for."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.avro.single_object import Unreadable, decode
from pipeline.kafka import topics
from pipeline.records import (
    ConsentChange,
    DeadLetter,
    MoMessage,
    MtCommand,
    MtRejection,
    MtState,
)
from pipeline.records.plain import text_from_time
from pipeline.sms.msisdn import address_from_text

if TYPE_CHECKING:
    from pipeline.records import Record

#: The kinds of lines, by the words of `--only`.
TOPIC_OF: Final = {
    "in": topics.MO_MESSAGE,
    "out": topics.MT_COMMAND,
    "refused": topics.MT_REJECTION,
    "state": topics.MT_STATE,
    "consent": topics.CONSENT_CHANGE,
    "letter": topics.DEAD_LETTER,
}
#: Digits of a handset that stay: the first show the network, the last tell two handsets apart.
_FIRST, _LAST = 5, 2
_LONGEST_TEXT: Final = 500


class TailFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; what is empty means any."""

    handset: str = ""
    number: str = ""
    text: str = ""


class TailEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A record, as far as a line needs it."""

    at: datetime
    kind: str
    handset: str = ""
    number: str = ""
    text: str = ""
    words: str = ""


def line_from_record(record: Any, wanted: TailFilter, *, is_full: bool) -> str | None:
    """The line of a Kafka record; None where the record is not asked for."""
    if record.value is None:
        return None
    try:
        value = decode(record.value)
    except Unreadable as error:
        is_all = wanted == TailFilter()
        where = f"{record.topic}/{record.partition}@{record.offset}"
        return f"{where} cannot be read: {error}" if is_all else None
    entry = entry_from_record(value)
    if entry is None or not _is_wanted(entry, wanted):
        return None
    handset = entry.handset if is_full else masked_middle(entry.handset)
    arrow = "->" if entry.kind == "in" else "<-"
    who = f"{handset} {arrow} {entry.number or '(no sender)'}" if handset else ""
    text = entry.text[:_LONGEST_TEXT] + ("…" if len(entry.text) > _LONGEST_TEXT else "")
    said = " ".join(filter(None, [entry.words, f'"{text}"' if entry.text else ""]))
    line = f"{text_from_time(entry.at)}  {entry.kind:<8} {who:<32}  {said}"
    return " ".join(line.splitlines()).rstrip()


def entry_from_record(value: Record) -> TailEntry | None:
    """What a line says of a record; None for a record that no line is of."""
    match value:
        case MoMessage():
            odd = [] if value.complete else [f"{len(value.parts_missing)} parts missing"]
            return TailEntry(
                at=value.gateway_time, kind="in", handset=value.handset, number=value.number,
                text=value.text, words=" ".join([*odd, *value.flags]),
            )  # fmt: skip
        case MtCommand():
            return TailEntry(
                at=value.at, kind="out", handset=value.handset, number=value.sender_id,
                text=value.text, words=value.purpose,
            )  # fmt: skip
        case MtRejection():
            return TailEntry(
                at=value.at, kind="refused", handset=value.handset, number=value.sender_id,
                words=f"{value.rule} {value.detail}".strip(),
            )  # fmt: skip
        case MtState():
            said = " ".join(filter(None, [value.state, value.code, value.words]))
            return TailEntry(
                at=value.at, kind="state", handset=value.handset, words=said,
                number=f"({value.command_id[:8]})",
            )  # fmt: skip
        case ConsentChange():
            words = f"{value.scope_kind} ours {value.state}, the gateway's {value.gateway_state}"
            return TailEntry(
                at=value.at, kind="consent", handset=value.handset, number=value.scope,
                words=f"{words} ({value.rule})",
            )  # fmt: skip
        case DeadLetter():
            words = f"{value.stage} {value.reason}: {value.words} ({value.dead_letter_id[:8]})"
            return TailEntry(at=value.at, kind="letter", words=words)
    return None


def _is_wanted(entry: TailEntry, wanted: TailFilter) -> bool:
    return (
        (not wanted.handset or address_from_text(wanted.handset) == entry.handset)
        and (not wanted.number or wanted.number.strip().removeprefix("+") == entry.number)
        and (not wanted.text or wanted.text.casefold() in entry.text.casefold())
    )


def masked_middle(handset: str) -> str:
    """A handset without its middle digits: `44770*****01`."""
    hidden = len(handset) - _FIRST - _LAST
    if hidden <= 0:
        return "*" * len(handset)
    return handset[:_FIRST] + "*" * hidden + handset[-_LAST:]
