"""The work of consent for one handset grows no faster than the handset's messages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pipeline.sms.timestamp import time_from_gateway
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.stopwords import (
    contains_stop_word,
    is_stop_all,
    keyword_start,
    keyword_stop,
    keywords_in,
    stop_word_in_full,
    words_of,
)
from pipeline.sms.words.stopwords_wide import may_be_a_stop
from pipeline.stages.consent.decide import (
    ConsentRules,
    HandsetConsent,
    consent_due_at,
    take_message,
)
from pipeline.stages.consent.row import consent_from_octets, octets_from_consent
from pipeline.stages.consent.scopes import scopes as consent_scopes
from pipeline.stages.consent.scopes.timeline import NEVER, fold
from pipeline.stages.gate.judge import GateRules, judge
from tests.hostile.growth import refuse_steep_growth
from tests.support.conversation import mo, mt
from tests.support.rented_numbers import ANN, DIRECTORY, NOON, SHARED, directory_from

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.directory.directory import Directory

#: Characters of a text at the body limit of 64 KiB, in UTF-16.
LARGEST = 31_400
#: Unicode's worst: 18 characters of one, marks that NFKC sorts, syllables that it composes.
WORST = {
    "arabic-ligature": "\ufdfa",
    "marks-of-two-classes": "\u0315\u0300",
    "nukta-and-virama": "\u094d\u093c",
    "hangul-jamo": "\u1100\u1161\u11a8",
    "hangul-fillers": "\u3164",
    "zero-width": "\u200b",
    "grapheme-joiners": "\u034f",
    "dotted-capital-i": "\u0130",
    "sharp-s": "\u00df",
    "squared-words": "\u33af",
    "blanks": "\u3000",
    "punctuation": "\u3002",
    "keywords": "fun ",
    "stops": "stop ",
    "ascii-punctuation": ".",
    "opt": "opt ",
}
OPENINGS = ("", "stop ", "stop a", "fun stop")
FUNCTIONS: dict[str, Callable[[str], object]] = {
    "fold_text": fold_text,
    "stop_word_in_full": stop_word_in_full,
    "is_stop_all": is_stop_all,
    "contains_stop_word": contains_stop_word,
    "keyword_stop": lambda text: keyword_stop(text, ("FUN", "GAME")),
    "keyword_start": lambda text: keyword_start(text, ("FUN", "GAME")),
    "keywords_in": lambda text: keywords_in(text, ("FUN", "GAME")),
    "words_of": words_of,
    "may_be_a_stop": lambda text: may_be_a_stop(fold_text(text)),
    "time_from_gateway": time_from_gateway,
}
RULES = ConsentRules()


def _grown(opening: str, unit: str, size: int) -> str:
    return (opening + unit * (size // len(unit) + 1))[:size]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("worst", WORST)
def test_the_work_on_a_text_is_linear(name: str, worst: str) -> None:
    asked = FUNCTIONS[name]
    for opening in OPENINGS[1:3]:

        def work(size: int, opening: str = opening) -> Callable[[], object]:
            text = _grown(opening, WORST[worst], size)
            return lambda: asked(text)

        refuse_steep_growth(work, largest=LARGEST)


@pytest.mark.parametrize("number", [ANN, SHARED])
@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("worst", WORST)
def test_a_message_is_taken_in_linear_time(worst: str, opening: str, number: str) -> None:
    def work(size: int) -> Callable[[], object]:
        text = _grown(opening, WORST[worst], size)
        message = mo(text, number, octets=text.encode("utf-16-be"), charset="UTF-16BE")
        return lambda: _take(None, message)

    refuse_steep_growth(work, largest=LARGEST)


def _take(row: HandsetConsent | None, message, directory: Directory = DIRECTORY):  # type: ignore[no-untyped-def]
    return take_message(row, message, directory=directory, now=message.received_at, rules=RULES).row


EVERYTHING = {
    "stops-to-many-numbers": (lambda n: "STOP", lambda n: str(447700000000 + n)),
    "words-to-many-numbers": (lambda n: "hello", lambda n: str(447700000000 + n)),
    "stop-all-and-words-to-many": (
        lambda n: "hello" if n else "STOP ALL",
        lambda n: str(447700000000 + n),
    ),
    "stops-and-words-to-one": (lambda n: ("STOP", "hello")[n % 2], lambda n: ANN),
    "stops-to-one": (lambda n: "STOP", lambda n: ANN),
}
ROWS: dict[str, list[HandsetConsent | None]] = {kind: [None] for kind in EVERYTHING}


def _row_after(count: int, kind: str):  # type: ignore[no-untyped-def]
    """The row after so many messages; each row is made once, from the row before it."""
    text, number = EVERYTHING[kind]
    rows = ROWS[kind]
    for n in range(len(rows) - 1, count):
        at = NOON + timedelta(seconds=n)
        rows.append(_take(rows[-1], mo(text(n), number(n), at=at, message_id=f"{n:032x}")))
    return rows[count]


@pytest.mark.parametrize("kind", EVERYTHING)
def test_a_handset_s_row_is_bounded_by_what_it_may_send(kind: str) -> None:
    row = _row_after(1_500, kind)
    assert len(row.timelines) <= consent_scopes.SCOPES + 1
    assert len(row.confirmations) <= 64
    assert len(octets_from_consent(row)) < 400_000


@pytest.mark.parametrize("kind", EVERYTHING)
def test_all_messages_of_a_handset_take_linear_time(kind: str) -> None:
    """The row is full at first; with few scopes each message is cheaper."""
    text, number = EVERYTHING[kind]
    full = consent_scopes.SCOPES * 2
    begun = octets_from_consent(_row_after(full, kind))

    def work(size: int) -> Callable[[], object]:
        def run() -> None:
            octets = begun
            for n in range(full, full + size):
                at = NOON + timedelta(seconds=n)
                message = mo(text(n), number(n), at=at, message_id=f"{n:032x}")
                row = _take(consent_from_octets(octets), message)
                consent_due_at(row)
                octets = octets_from_consent(row)

        return run

    refuse_steep_growth(work, largest=128, smallest=8)


def test_the_gate_judges_a_full_row_in_bounded_time() -> None:
    def work(size: int) -> Callable[[], object]:
        row = _row_after(size, "stops-to-many-numbers")
        return lambda: judge(row, mt(sender=ANN), directory=DIRECTORY, now=NOON, rules=GateRules())

    refuse_steep_growth(work, largest=1024, smallest=128)


def test_a_timeline_folds_in_linear_time() -> None:
    def work(size: int) -> Callable[[], object]:
        row = _row_after(size, "stops-and-words-to-one")
        return lambda: fold(row.timelines[0].events, until=NEVER)

    refuse_steep_growth(work, largest=2048, smallest=128)


def test_keywords_of_a_large_directory_are_looked_up_in_linear_time() -> None:
    keywords = ", ".join(f'"word{n}"' for n in range(500))
    directory = directory_from(
        f'[[number]]\nnumber = "{SHARED}"\nkind = "shared-short-code"\nkeywords = [{keywords}]\n'
    )

    def work(size: int) -> Callable[[], object]:
        message = mo(_grown("", "word7 ", size), SHARED)
        return lambda: _take(None, message, directory)

    refuse_steep_growth(work, largest=LARGEST)


class TestNoStopIsForgotten:
    """However many numbers a handset stops."""

    def test_a_stop_beyond_the_bound_stops_the_account(self) -> None:
        row = _row_after(consent_scopes.SCOPES + 40, "stops-to-many-numbers")
        for n in range(consent_scopes.SCOPES + 40):
            request = mt(sender=str(447700000000 + n))
            decision = judge(
                row, request, directory=DIRECTORY, now=NOON + timedelta(hours=1), rules=GateRules()
            )
            assert [r.rule for r in decision.rejections] == ["opted-out"], n

    def test_a_word_to_a_number_beyond_the_bound_opens_nothing(self) -> None:
        row = _row_after(consent_scopes.SCOPES + 1, "stops-to-many-numbers")
        beyond = str(447700000000 + consent_scopes.SCOPES)
        row = _take(row, mo("hello", beyond, at=NOON + timedelta(hours=1)))
        decision = judge(
            row,
            mt(sender=beyond),
            directory=DIRECTORY,
            now=NOON + timedelta(hours=2),
            rules=GateRules(),
        )
        assert [r.rule for r in decision.rejections] == ["opted-out"]

    def test_a_word_to_a_number_it_has_stopped_opens_that_one(self) -> None:
        row = _row_after(consent_scopes.SCOPES, "stops-to-many-numbers")
        known = str(447700000000)
        row = _take(row, mo("hello", known, at=NOON + timedelta(hours=1)))
        scope = next(t for t in row.timelines if t.scope == known)
        assert scope.is_said_open
