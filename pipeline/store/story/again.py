"""Makes the record that retries a dead letter, with the same octets, headers, key and receipt time.

So the results have the same ids as if the input had not been refused. The header `twoway-retry-of`
names the dead letter. If the input is refused again, the new dead letter has that header too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.avro.single_object import encode
from pipeline.dead_letters import is_cut
from pipeline.kafka import readers, topics
from pipeline.records import DeadLetter, Header, MoRaw, Reason, Rejected, Source, Stage
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.wire.status import status_report_of
from pipeline.wire.ways import callback_from_raw

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.wire.status import StatusReport

    HandsetOf = Callable[[StatusReport], str]

RETRY_OF: Final = "twoway-retry-of"


class CannotRetry(ValueError):
    """The dead letter cannot be retried; the words say why."""


@dataclass(frozen=True, kw_only=True)
class Again:
    """What a retry publishes. If the input is refused again, `rejected` says why."""

    topic: str
    octets: bytes
    key: bytes | None = None
    partition: int | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    rejected: Rejected | None = None


def again_from_letter(
    letter: DeadLetter, *, alphabet: str, handset_of: HandsetOf = lambda _: ""
) -> Again:
    """What to publish; raises `CannotRetry`. `alphabet` is what SMPP's data_coding 0 means.

    `handset_of` gives the handset of a status that names none; empty: nobody knows it.
    """
    if letter.reason == Reason.TOO_LONG or is_cut(letter):
        raise CannotRetry("only its beginning was kept")
    if letter.topic:
        return _record_again(letter)
    return _input_again(letter, alphabet=alphabet, handset_of=handset_of)


def predecessor_of(letter: DeadLetter) -> str:
    """The id of the dead letter whose retry made this one; empty if it is no retry."""
    given = {header.name: header.value for header in letter.headers}
    return given.get(RETRY_OF, b"").decode("ascii", "replace")


def _record_again(letter: DeadLetter) -> Again:
    """The refused record, for the partition from which it was read."""
    if letter.stage == Stage.STORE:
        raise CannotRetry("the store alone could not read it: others have worked on it")
    if letter.reason == Reason.DELIVERY_GIVEN_UP:
        raise CannotRetry("`twoway delivery retry` hands it on anew")
    if letter.topic not in readers.SENT_AGAIN:
        raise CannotRetry(f"a record of {letter.topic} is not sent again: publish a new one")
    return Again(
        topic=letter.topic,
        octets=letter.octets,
        key=letter.key,
        partition=letter.partition,
        headers=_headers_after(letter),
    )


def _input_again(letter: DeadLetter, *, alphabet: str, handset_of: HandsetOf) -> Again:
    """The raw event that ingest would make of it now, or its next dead letter."""
    given = {header.name: header.value for header in letter.headers}
    raw = MoRaw(
        source=letter.source,
        received_at=letter.at,
        method=given.get("method", b"").decode("ascii", "replace"),
        content_type=given.get("content-type", b"").decode("latin-1"),
        query=given.get("query", b""),
        octets=letter.octets,
        alphabet=alphabet if letter.source == Source.SMPP else "",
    )
    handset = _handset_in(raw, handset_of)
    if isinstance(handset, Rejected):
        following = encode(_following_letter(letter, handset))
        return Again(topic=topics.DEAD_LETTER, octets=following, rejected=handset)
    key = key_from_handset(handset)
    link = (RETRY_OF, letter.dead_letter_id.encode())
    return Again(topic=topics.MO_RAW, octets=encode(raw), key=key, headers=[link])


def _handset_in(raw: MoRaw, handset_of: HandsetOf) -> str | Rejected:
    """Whose the message or the status is; raises `CannotRetry` where there is neither."""
    callback = callback_from_raw(raw)
    if callback is None:
        report = status_report_of(raw)
        if report is None:
            raise CannotRetry("there is no message in it, and no status")
        if isinstance(report, Rejected):
            return report
        unknown = Rejected(Reason.MISSING_TO, "to is absent, and no command has this id")
        return report.handset or handset_of(report) or unknown
    return callback if isinstance(callback, Rejected) else address_from_text(callback.handset)


def _following_letter(letter: DeadLetter, rejected: Rejected) -> DeadLetter:
    """The dead letter of an input that is refused again, with the time of the first receipt."""
    digest = hashlib.blake2b(f"retry {letter.dead_letter_id}".encode(), digest_size=16)
    return msgspec.structs.replace(
        letter,
        dead_letter_id=digest.hexdigest(),
        headers=[Header(name=name, value=value) for name, value in _headers_after(letter)],
        reason=rejected.reason,
        words=rejected.words,
    )


def _headers_after(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """The letter's headers; `twoway-retry-of` names this letter, not the one before it."""
    kept = [(header.name, header.value) for header in letter.headers if header.name != RETRY_OF]
    return [*kept, (RETRY_OF, letter.dead_letter_id.encode())]
