"""Stop words by language and by law, and words that may be meant as one."""

import sys

import pytest

from pipeline.sms.words.default_ignorable import without_ignorable
from pipeline.sms.words.folding import LONGEST_COMMAND, fold_text
from pipeline.sms.words.stopword_sets import SETS, WIDE, words_of_sets
from pipeline.sms.words.stopwords import STOP_WORDS, keyword_stop, stop_word_in_full
from pipeline.sms.words.stopwords_wide import LONGEST_WORD, may_be_a_stop


def invisible() -> list[str]:
    """All characters that show nothing."""
    return [each for each in map(chr, range(sys.maxunicode + 1)) if not without_ignorable(each)]


def test_every_word_has_its_source_and_is_no_word_of_the_guide() -> None:
    for name, words in SETS.items():
        assert all(source for _, source in words), name
        assert not {word for word, _ in words} & {*STOP_WORDS, "STOPALL"}, name


def test_the_set_of_the_american_law_and_the_guide_have_each_word_of_the_rule() -> None:
    """47 CFR 64.1200(a)(10): stop, quit, end, revoke, opt out, cancel, unsubscribe."""
    rule = {"STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"}
    assert rule <= {*STOP_WORDS, *words_of_sets(("en-us",))}


@pytest.mark.parametrize("word", WIDE)
def test_a_word_of_any_set_may_be_a_stop(word: str) -> None:
    assert len(fold_text(word)) <= LONGEST_WORD
    for text in (word, word.lower(), f"  {word}! ", f"\u2068{word}\u2069"):
        assert may_be_a_stop(fold_text(text))
        assert stop_word_in_full(text, (word,))


@pytest.mark.parametrize(
    "text",
    [
        "\u0421\u0422\u041e\u0420",  # all Cyrillic, by its looks
        "\u0421\u0422\u041e\u041f",  # Russian
        "\u0455top",
        "st\u043ep",
        "ST0P",
        "5TOP",
        "\u0395ND",
        "QU\u0406T",
        "\u0441\u0430ncel",
        "leave me alone",
        "Please LEAVE me alone!",
        "don't text me",
        "Don\u2019t text me again",
        "take me off this list",
        "wrong number",
    ],
)
def test_what_may_be_meant_as_a_stop(text: str) -> None:
    assert may_be_a_stop(fold_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "N",
        "yes",
        "hello there",
        "nine",
        "the shop is open",
        "top",
        "no",
        "START",
        "12345",
    ],
)
def test_what_is_no_stop(text: str) -> None:
    assert not may_be_a_stop(fold_text(text))


@pytest.mark.parametrize(
    "text", ["UNSUBSCR\u0130BE", "unsubscr\u0131be", "QU\u0130T", "QUI\u0307T"]
)
def test_the_turkish_letters_are_i(text: str) -> None:
    assert stop_word_in_full(text)


def test_each_invisible_character_may_stand_anywhere_in_a_stop_word() -> None:
    for character in invisible():
        assert stop_word_in_full(f"ST{character}OP{character}"), hex(ord(character))


def test_a_command_may_have_any_padding_and_no_more_than_so_many_characters() -> None:
    for padding in (" ", ".", "\u3002", "\u3164", "\u200b"):
        assert stop_word_in_full("STOP" + padding * 30_000)
    assert keyword_stop("STOP" + " " * (LONGEST_COMMAND - 7) + "FUN", ("FUN",))
    assert not keyword_stop("STOP" + " " * LONGEST_COMMAND + "FUN", ("FUN",))
