"""A dead letter fits into a record, whatever was refused, and says when it is cut."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace

import pytest

from pipeline.avro import single_object
from pipeline.dead_letters import MOST_OCTETS, is_cut, letter_from_record
from pipeline.engine.bounds import RECORD_OCTETS
from pipeline.records import Reason, Rejected, Stage
from pipeline.store.story.again import CannotRetry, again_from_letter

REJECTED = Rejected(Reason.FAILED, "why")


def letter_of(value=b"v", *, key=b"k", headers=(), timestamp=0):
    record = SimpleNamespace(
        topic="mt-request",
        partition=0,
        offset=7,
        key=key,
        headers=headers,
        value=value,
        timestamp=timestamp,
    )
    return letter_from_record(record, REJECTED, stage=Stage.GATE)


@pytest.mark.parametrize(
    "fields",
    [
        {"value": b"x" * (MOST_OCTETS + 1)},
        {"value": bytes(200_000_000)},
        {"key": b"k" * 1_000_000},
        {"headers": (("h", b"x" * 1_000_000),)},
        {"headers": (("ÿ" * 400_000, b""),)},
        {"headers": (("", None),) * 100_000},
        {"value": b"x" * 1_000_000, "key": b"k" * 1_000_000, "headers": (("h", b"x"),) * 90_000},
    ],
    ids=["value", "huge value", "key", "header", "header key", "many headers", "all"],
)
def test_a_letter_is_cut_to_what_fits_and_says_so(fields):
    letter = letter_of(**fields)
    whole = fields.get("value", b"v")
    assert len(single_object.encode(letter)) < RECORD_OCTETS
    assert is_cut(letter)
    assert letter.whole_length == len(whole)
    assert letter.whole_sha256 == hashlib.sha256(whole).hexdigest()
    assert whole.startswith(letter.octets)
    with pytest.raises(CannotRetry, match="only its beginning was kept"):
        again_from_letter(letter, alphabet="gsm7")


@pytest.mark.parametrize("value", [b"", None, b"v", b"x" * MOST_OCTETS])
def test_what_fits_is_kept_whole(value):
    letter = letter_of(value, headers=(("h", b"x"),))
    assert not is_cut(letter)
    assert (letter.octets, letter.whole_length) == (value or b"", 0)
    assert again_from_letter(letter, alphabet="gsm7").octets == (value or b"")


@pytest.mark.parametrize("timestamp", [-(1 << 63), -62_135_596_800_000, -1, 0, (1 << 63) - 1])
def test_a_time_that_no_calendar_has_is_brought_into_it(timestamp):
    assert 1 <= letter_of(timestamp=timestamp).at.year <= 9999
