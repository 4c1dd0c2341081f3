"""Makes the dead letter of a record that cannot be processed, whole or cut to what fits."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.records import DeadLetter, Header, Rejected, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord

#: The most octets of a record's value, key and headers that a dead letter keeps. So the dead letter
#: fits into one record of a topic.
MOST_OCTETS: Final = 800_000
MOST_KEY_OCTETS: Final = 16_384
MOST_HEADER_OCTETS: Final = 65_536
HEADER_OVERHEAD: Final = 12
EARLIEST_MS: Final = -62_135_596_800_000  # year 1
LATEST_MS: Final = 253_402_300_799_999  # year 9999


def letter_from_record(
    record: ConsumerRecord,
    rejected: Rejected,
    *,
    stage: Stage,
    source: str = "",
    at: datetime | None = None,
) -> DeadLetter:
    """The dead letter of a record; reading the record again gives the same dead letter.

    Without `at` it has the record's time in Kafka. Its id is computed from topic, partition and
    offset. The ids of store and deliveries differ, because each may refuse the same record. A dead
    letter that was cut has the length and the digest of the whole value.
    """
    place = f"{record.topic}/{record.partition}/{record.offset}"
    if stage in (Stage.STORE, Stage.DELIVERING):
        place = f"{stage} {place}"
    value = record.value or b""
    key = None if record.key is None else record.key[:MOST_KEY_OCTETS]
    headers, is_whole = _headers_that_fit(record.headers)
    is_whole = is_whole and key == record.key and len(value) <= MOST_OCTETS
    return DeadLetter(
        dead_letter_id=hashlib.blake2b(place.encode(), digest_size=16).hexdigest(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=key,
        headers=headers,
        octets=value[:MOST_OCTETS],
        source=source,
        stage=stage,
        reason=rejected.reason,
        words=rejected.words,
        at=at or _time_of(record.timestamp),
        whole_length=0 if is_whole else len(value),
        whole_sha256="" if is_whole else hashlib.sha256(value).hexdigest(),
    )


def is_cut(letter: DeadLetter) -> bool:
    """Whether the dead letter has only the beginning of the refused input."""
    return bool(letter.whole_sha256)


def _headers_that_fit(given: Iterable[tuple[str, bytes | None]]) -> tuple[list[Header], bool]:
    """The first headers, up to the bound, and whether these are all of them."""
    kept: list[Header] = []
    left = MOST_HEADER_OCTETS
    for name, value in given:
        left -= 4 * len(name) + len(value or b"") + HEADER_OVERHEAD
        if left < 0:
            return kept, False
        kept.append(Header(name=name, value=value or b""))
    return kept, True


def _time_of(timestamp_ms: int) -> datetime:
    """The time of a record, limited to the years 1 to 9999: a producer may state any number."""
    return datetime.fromtimestamp(min(max(timestamp_ms, EARLIEST_MS), LATEST_MS) / 1000, UTC)
