"""Stop words (G7.1.1): the meaning of a text, and the stop words in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.stopword_sets import SETS, STOP_REQUESTS, WIDE
from pipeline.sms.words.stopwords import (
    STOP_ALL,
    STOP_WORDS,
    KeywordCommand,
    Phrases,
    contains_stop_word,
    is_help,
    is_start,
    is_stop_all,
    keyword_start,
    keyword_stop,
    keywords_in,
    stop_word_in_full,
    words_of,
)

STOPS = [
    pytest.param("STOP", id="upper"),
    pytest.param("stop", id="lower"),
    pytest.param("sToP", id="mixed"),
    pytest.param(" stop ", id="blanks"),
    pytest.param("stop\r\n", id="line-end"),
    pytest.param("stop.", id="full-stop"),
    pytest.param("...stop!!!", id="punctuation-around"),
    pytest.param('"stop"', id="quotes"),
    pytest.param("\u00abstop\u00bb", id="guillemets"),
    pytest.param("\u00a1stop!", id="inverted-mark"),
    pytest.param("\u00a0stop\u3000", id="wide-blanks"),
    pytest.param("*STOP*", id="ascii-symbol"),
    pytest.param("_stop_", id="underscores"),
    pytest.param("\uff33\uff34\uff2f\uff30", id="full-width"),
    pytest.param("\uff53\uff54\uff4f\uff50\uff01", id="full-width-punctuation"),
    pytest.param("\U0001d412\U0001d413\U0001d40e\U0001d40f", id="mathematical-bold"),
    pytest.param("\u24c8\u24c9\u24c4\u24c5", id="circled"),
    pytest.param("\u017ftop", id="long-s"),
    pytest.param("st\u200bop", id="zero-width-inside"),
    pytest.param("\ufeffstop", id="byte-order-mark"),
    pytest.param("\u200estop\u200f", id="bidi-marks"),
    pytest.param("stop\u203c\ufe0f", id="variation-selector"),
    pytest.param("stop\x00", id="control"),
]
NOT_STOPS = [
    pytest.param("", id="empty"),
    pytest.param("...", id="punctuation-alone"),
    pytest.param("stop it", id="two-words"),
    pytest.param("please stop", id="last-word"),
    pytest.param("s top", id="blank-inside"),
    pytest.param("s.t.o.p", id="dots-inside"),
    pytest.param("stopp", id="misspelt"),
    pytest.param("stop1", id="digit-after"),
    pytest.param("stop \U0001f64f", id="symbol-after"),
    pytest.param("sto\u1e55", id="another-letter"),
    pytest.param("stop\u0331", id="combining-mark"),
    pytest.param("st0p", id="zero-for-o"),
    pytest.param("\u0455top", id="cyrillic-s"),
]


@pytest.mark.parametrize("text", STOPS)
def test_the_whole_text_is_a_stop_word(text: str) -> None:
    assert stop_word_in_full(text)
    assert contains_stop_word(text)


@pytest.mark.parametrize("text", NOT_STOPS)
def test_the_whole_text_is_none(text: str) -> None:
    assert not stop_word_in_full(text)
    assert not is_stop_all(text)


@pytest.mark.parametrize("word", STOP_WORDS)
def test_each_word_of_the_guide(word: str) -> None:
    assert stop_word_in_full(f" {word.lower()}? ") == word


@pytest.mark.parametrize(
    "text",
    [*STOP_ALL, "stop all", "StopAll!", "STOP  STOP", "stop.stop", "Stop, all.", "STOP\nALL"],
)
def test_stop_all(text: str) -> None:
    assert is_stop_all(text)
    assert not stop_word_in_full(text)
    assert contains_stop_word(text)


@pytest.mark.parametrize("text", ["ALL STOP", "STOP STOP STOP", "STOP ALL NOW", "STOP-A-LL", "ALL"])
def test_no_stop_all(text: str) -> None:
    assert not is_stop_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "please do not cancel",
        "the END of it",
        "(stop)",
        "stop,stop,stop",
        "caf\u00e9-stop",
        "\u0628\u0646\u062f stop \u0628\u0646\u062f",
        "\u505c STOP",
        "stop\U0001f64f",
        "\U0001f64fstop",
        "un-end-ing",
        "\uff0e\uff33\uff34\uff2f\uff30\uff0e",
        "do not stopall of it",
    ],
)
def test_a_stop_word_stands_in_it(text: str) -> None:
    assert contains_stop_word(text)


@pytest.mark.parametrize(
    "text",
    [
        "weekend",
        "unstoppable",
        "quite",
        "attend",
        "Ending",
        "stop1",
        "1stop",
        "cancelled",
        "\u00e9end",
        "end\u00e9",
        "end\u0331",
        "\u505cend\u6b62",
        "endend",
        "",
    ],
)
def test_no_stop_word_stands_in_it(text: str) -> None:
    assert not contains_stop_word(text)


def test_words_are_bounded_by_anything_but_letters_and_digits() -> None:
    assert words_of("a-b_c d\u00e9\u0301f 1\u20ac2 \U0001f600x") == (
        "a", "b", "c", "d\u00e9\u0301f", "1", "2", "x",
    )  # fmt: skip


class TestExtra:
    """Extra stop words of a number, of any script and of more than one word."""

    @pytest.mark.parametrize(
        ("extra", "text"),
        [
            ("HALT", "Halt!"),
            ("OPT OUT", "opt-out"),
            ("ARR\u00caT", "arre\u0302t"),
            ("\u0421\u0422\u041e\u041f", "\u0441\u0442\u043e\u043f."),
            ("\u0930\u0941\u0915\u094b", "\u0930\u0941\u0915\u094b!"),
            ("STRASSE", "stra\u00dfe"),
        ],
    )
    def test_it_stops(self, extra: str, text: str) -> None:
        assert stop_word_in_full(text, (extra,)) == extra
        assert contains_stop_word(f"oh {text} oh", (extra,))
        assert not stop_word_in_full(text)

    def test_a_mark_belongs_to_its_letter(self) -> None:
        extra = ("\u092c\u0902\u0926",)
        assert not contains_stop_word("\u092c\u0902\u0926\u0940", extra)
        assert contains_stop_word("\u092c\u0902\u0926 karo", extra)


class TestKeywords:
    """G7.1.2: on a shared short code."""

    KEYWORDS = ("FUN", "FUN CLUB", "\u00c9T\u00c9")

    @pytest.mark.parametrize(
        ("text", "keyword", "word"),
        [
            ("STOP fun", "FUN", "STOP"),
            ("fun STOP", "FUN", "STOP"),
            ("Fun club: quit!", "FUN CLUB", "QUIT"),
            ("cancel \u00e9te\u0301", "\u00c9T\u00c9", "CANCEL"),
            ("fun/halt", "FUN", "HALT"),
        ],
    )
    def test_a_keyword_stop(self, text: str, keyword: str, word: str) -> None:
        assert keyword_stop(text, self.KEYWORDS, ("HALT",)) == KeywordCommand(keyword, word)

    @pytest.mark.parametrize(
        "text",
        ["STOP", "fun", "STOP fun STOP", "STOPfun", "fun fun STOP", "stop chess", "fun stop all"],
    )
    def test_no_keyword_stop(self, text: str) -> None:
        assert keyword_stop(text, self.KEYWORDS) is None

    def test_a_keyword_start(self) -> None:
        assert keyword_start("Yes fun", self.KEYWORDS) == KeywordCommand("FUN", "YES")
        assert keyword_start("yes", self.KEYWORDS) is None

    def test_the_keywords_in_a_text_in_its_order(self) -> None:
        assert keywords_in("\u00c9t\u00e9 or fun?", self.KEYWORDS) == ("\u00c9T\u00c9", "FUN")
        assert keywords_in("funny", self.KEYWORDS) == ()


@pytest.mark.parametrize(("text", "yes"), [("help", True), ("HELP!", True), ("help me", False)])
def test_help(text: str, yes: bool) -> None:
    assert is_help(text) == yes


@pytest.mark.parametrize(
    ("text", "yes"), [("start", True), (" Unstop.", True), ("YES", True), ("restart", False)]
)
def test_start(text: str, yes: bool) -> None:
    assert is_start(text) == yes
    assert not contains_stop_word(text)


@given(
    text=st.text(alphabet=st.sampled_from("sStToOpPeEnNdD .,!-1\u00e9"), max_size=12),
    around=st.sampled_from(["", " ", ".", "\u00a0", "\uff01"]),
)
def test_what_is_a_stop_word_also_contains_one(text: str, around: str) -> None:
    given_text = around + text + around
    if stop_word_in_full(given_text) or is_stop_all(given_text):
        assert contains_stop_word(given_text)


@given(text=st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_plain_text_is_read_as_any_other(text: str) -> None:
    marked = text + "\u00a0"  # a blank that takes the way of all other text
    assert contains_stop_word(text) == contains_stop_word(marked)
    assert stop_word_in_full(text) == stop_word_in_full(marked)
    assert is_stop_all(text) == is_stop_all(marked)
    assert words_of(text) == words_of(marked)


@given(text=st.text())
def test_any_text_can_be_asked(text: str) -> None:
    contains_stop_word(text, ("\u0441\u0442\u043e\u043f",))
    keyword_stop(text, ("FUN",))


ANY_PHRASES = [
    pytest.param((*STOP_WORDS, "STOPALL"), id="guide"),
    pytest.param(STOP_REQUESTS, id="requests"),
    pytest.param(WIDE, id="wide"),
    *(pytest.param(tuple(word for word, _ in words), id=name) for name, words in SETS.items()),
    pytest.param(
        ("leave", "leave me", "don't leave me", "ve me", "\u00e9t\u00e9 fini"), id="nested"
    ),
    pytest.param((), id="none"),
]


@pytest.mark.parametrize("given_phrases", ANY_PHRASES)
def test_a_phrase_is_found_wherever_it_stands_and_whatever_its_signs_are(given_phrases) -> None:
    """The quick search for signs against a search word by word, over every phrase and its edges."""
    wanted = Phrases(given_phrases)
    for phrase in given_phrases:
        folded = fold_text(phrase)
        words = folded.split()
        cut = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))]
        for text in (folded, *cut, folded[:-1], folded[1:], " ".join(reversed(words))):
            for spelt in (text, text.replace(" ", ", "), text.replace(" ", "")):
                for around in ("{}", "say {} now", "x{}", "{}x", "\u00e9 {}", "({})", "{0} {0}"):
                    found = around.format(spelt)
                    assert wanted.stand_in(found) == bool(wanted.found_in(found)), found
        assert wanted.stand_in(folded)


@given(data=st.data())
def test_words_of_phrases_in_any_order_are_found_as_one_by_one(data: st.DataObject) -> None:
    given_phrases = data.draw(st.sampled_from([each.values[0] for each in ANY_PHRASES]))
    words = sorted({word for phrase in given_phrases for word in fold_text(phrase).split()})
    piece = st.sampled_from([*words, "we", "\u00e9"]) if words else st.just("we")
    between = st.sampled_from([" ", "", "-", "'", "\n"])
    text = "".join(data.draw(st.lists(st.tuples(piece, between).map("".join), max_size=8)))
    wanted = Phrases(given_phrases)
    assert wanted.stand_in(text) == bool(wanted.found_in(text))
