"""In doubt a stop counts, and an opening does not."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.records import Flag, Source
from pipeline.sms.words.plausible import plausible_texts
from pipeline.sms.words.stopword_sets import WIDE
from pipeline.sms.words.stopwords import STOP_WORDS, is_stop_all, stop_word_in_full
from pipeline.stages.consent.decide import consent_due_at
from pipeline.stages.consent.doubt import is_plain
from pipeline.stages.parts.message import message_from_part
from tests.support.conversation import Conversation
from tests.support.mo import accepted, callback
from tests.support.rented_numbers import ANN, CODE, NUMBERS, SHARED, directory_from

LABELS = ("ISO-8859-1", "UTF-16BE", "8-BIT", "UTF-8", "koi8-r", "cp037", "utf-16-le", "no such")
CODECS = (
    *("latin-1", "utf-8", "utf-16-be", "utf-16-le", "utf-16", "utf-8-sig", "utf-32-be"),
    *("utf-7", "cp037", "cp1251", "cp1256", "cp1253", "koi8-r", "gb18030", "shift-jis"),
)
OF_CHARACTERS = (
    "byte-order-swapped",
    "unexpected-charset",
    "unexpected-data-coding",
    "unknown-charset",
    "unknown-language-table",
)
DUE = ("confirmation-due", "confirmation-due")
CHOOSING = directory_from(
    NUMBERS.replace(
        f'number = "{ANN}"', f'number = "{ANN}"\nstop_words = ["en-us", "fr", "ar"]'
    ).replace('keywords = ["Fun", "game"]', 'keywords = ["Fun", "game"]\nstop_words = ["fr"]')
)


def _labelled(talk: Conversation, octets: bytes, charset: str, number: str = ANN):
    """A message as it comes, with the charset that it names."""
    part = accepted(callback(octets, charset=charset, mo_msg_id="m"))
    message = message_from_part(part, account="main")
    given = {"octets": message.octets, "charset": message.charset, "lossy": message.lossy}
    flags = [flag for flag in message.flags if flag != Flag.UNKNOWN_NUMBER]
    return talk.says(message.text, number, **given, flags=flags)


def _counts(talk: Conversation, octets: bytes, charset: str) -> bool:
    """Whether a message stops, or is put to review."""
    decision = _labelled(talk, octets, charset)
    flags = decision.message.flags if decision.message else []
    return Flag.REVIEW in flags or not talk.is_open(ANN)


@given(
    word=st.sampled_from((*STOP_WORDS, "STOP ALL", *WIDE)),
    codec=st.sampled_from(CODECS),
    label=st.sampled_from(LABELS),
    lower=st.booleans(),
    around=st.sampled_from(("", " ", ".", "\r\n")),
)
@settings(max_examples=400, deadline=None)
def test_no_charset_hides_a_stop(word, codec, label, lower, around) -> None:
    try:
        octets = ((word.lower() if lower else word) + around).encode(codec)
    except UnicodeEncodeError:
        return
    assert _counts(Conversation(), octets, label)


@given(octets=st.binary(max_size=24), label=st.sampled_from(LABELS))
@settings(max_examples=300, deadline=None)
def test_no_octets_that_read_as_a_stop_leave_nothing(octets, label) -> None:
    if any(stop_word_in_full(text) or is_stop_all(text) for text in plausible_texts(octets)):
        assert _counts(Conversation(), octets, label)


@pytest.mark.parametrize("flag", OF_CHARACTERS)
def test_doubt_about_characters_opens_nothing_and_stops(flag: str) -> None:
    talk = Conversation()
    talk.says("STOP", flags=[flag])
    assert not talk.is_open(ANN)
    talk.says("hello there, how are you", flags=[flag])
    assert not talk.is_open(ANN)
    talk.says("hello there, how are you")
    assert talk.is_open(ANN)


@pytest.mark.parametrize(
    ("flag", "source"),
    [
        (Flag.TIMESTAMP_IMPLAUSIBLE, Source.HTTP),
        (Flag.TIMESTAMP_UNREADABLE, Source.FTP),
        (Flag.NOT_INTERNATIONAL, Source.HTTP),
    ],
)
def test_doubt_about_when_and_whose_opens_nothing(flag: Flag, source: Source) -> None:
    talk = Conversation()
    talk.says("STOP")
    talk.says("hello there, how are you", flags=[flag.value], source=source.value)
    assert not talk.is_open(ANN)


def test_an_unreadable_time_of_a_live_callback_is_its_receipt_and_opens() -> None:
    talk = Conversation()
    talk.says("STOP")
    talk.says("hello there, how are you", flags=[Flag.TIMESTAMP_UNREADABLE.value])
    assert talk.is_open(ANN)


def test_a_stop_of_a_handset_that_is_not_international_stops_and_is_reviewed() -> None:
    talk = Conversation()
    decision = talk.says("STOP", flags=[Flag.NOT_INTERNATIONAL.value])
    assert decision.message is not None
    assert Flag.REVIEW in decision.message.flags
    assert not talk.is_open(ANN)


class TestWordsOfSets:
    """Words by language and by law are ours; the gateway has only its own five."""

    @pytest.mark.parametrize("word", ["REVOKE", "Opt-Out", "ARRET", "ARR\u00caT", "\u0642\u0641"])
    def test_a_chosen_word_stops_ours_and_re_enables_the_gateways(self, word: str) -> None:
        talk = Conversation(CHOOSING)
        talk.says("STOP")
        decision = talk.says(word)
        (change, *_) = [c for c in decision.changes if c.scope == ANN]
        assert (change.state, change.gateway_state) == ("confirmation-due", "open")
        assert not talk.is_open(ANN)
        assert consent_due_at(talk.row) is not None

    @pytest.mark.parametrize("word", ["REVOKE", "ARRET", "\u0642\u0641", "leave me alone"])
    def test_a_word_that_is_not_chosen_is_reviewed_and_opens_nothing_of_ours(self, word) -> None:
        talk = Conversation()
        talk.says("STOP")
        decision = talk.says(word)
        assert decision.message is not None
        assert Flag.REVIEW in decision.message.flags
        assert not talk.is_open(ANN)

    def test_a_chosen_word_stops_a_keyword(self) -> None:
        talk = Conversation(CHOOSING)
        talk.says("FUN ARRET", SHARED)
        assert not talk.is_open(SHARED, keyword="FUN")
        assert talk.is_open(SHARED, keyword="GAME")

    def test_a_text_that_has_a_chosen_word_among_others_is_reviewed(self) -> None:
        talk = Conversation(CHOOSING)
        decision = talk.says("please revoke my order")
        assert decision.message is not None
        assert Flag.REVIEW in decision.message.flags
        assert talk.is_open(ANN)


def test_a_lossless_text_in_its_own_charset_re_enables() -> None:
    for text in ("caf\u00e9 d\u00e9j\u00e0", "\u0434\u0430", "\u0646\u0639\u0645", "\u8c22\u8c22"):
        talk = Conversation()
        talk.says("STOP")
        try:
            octets, charset = text.encode("latin-1"), "ISO-8859-1"
        except UnicodeEncodeError:
            octets, charset = text.encode("utf-16-be"), "UTF-16BE"
        _labelled(talk, octets, charset)
        assert talk.is_open(ANN), text


def test_an_extra_word_in_another_charset_is_no_nothing() -> None:
    talk = Conversation()
    decision = _labelled(talk, "halt".encode("utf-16-le"), "UTF-16BE", CODE)
    assert decision.message is not None
    assert not talk.is_open(CODE) or Flag.REVIEW in decision.message.flags


@pytest.mark.parametrize(
    "octets",
    [b"%53%54%4F%50", b"%00S%00T%00O%00P", b"&#83;&#84;&#79;&#80;", b"&#1602;&#1601;"],
    ids=["percent", "percent-of-utf-16", "references", "references-to-arabic"],
)
def test_a_stop_that_was_encoded_twice_is_put_to_review(octets) -> None:
    talk = Conversation()
    talk.says("STOP")
    decision = _labelled(talk, octets, "ISO-8859-1")
    assert decision.message is not None
    assert Flag.REVIEW in decision.message.flags
    assert not talk.is_open(ANN)


@pytest.mark.parametrize(
    ("octets", "charset", "is_reviewed"),
    [
        pytest.param("STOP".encode("utf-16-be")[:-1], "UTF-16BE", True, id="last-octet-lost"),
        pytest.param("arr\u00eat".encode("utf-16-be")[:-1], "UTF-16BE", True, id="of-a-language"),
        pytest.param(b"\0S\xd8\0\0O\0P", "UTF-16BE", True, id="half-a-pair-inside"),
        pytest.param("hello".encode("utf-16-be")[:-1], "UTF-16BE", False, id="another-word"),
        pytest.param("ok".encode("utf-16-be")[:-1], "UTF-16BE", False, id="one-letter-left"),
    ],
)
def test_a_stop_that_lost_a_character_is_put_to_review(octets, charset, is_reviewed) -> None:
    decision = _labelled(Conversation(), octets, charset)
    assert decision.message is not None
    assert decision.message.lossy
    assert (Flag.REVIEW in decision.message.flags) is is_reviewed


@pytest.mark.parametrize(
    ("handset", "text", "is_reviewed"),
    [
        ("44 7700 905779", "STOP", True),
        ("(44)7700-905778", "please cancel", True),
        ("\u202a447700905777", "ARRET", True),
        ("44 7700 905779", "hello there, how are you", False),
        ("ACME", "STOP", False),
        ("4 " * 33, "STOP", False),
    ],
)
def test_a_stop_of_a_number_as_people_write_it_is_put_to_review(handset, text, is_reviewed) -> None:
    decision = Conversation().says(text, handset=handset)
    assert decision.message is not None
    assert decision.row is None
    flags = [Flag.NO_CONSENT, Flag.REVIEW] if is_reviewed else [Flag.NO_CONSENT]
    assert decision.message.flags == flags


def _encoded(word: str) -> list[str]:
    """ASCII texts that encode a word in another form."""
    octets = [word.encode(codec) for codec in ("ascii", "utf-8-sig", "utf-16-be", "utf-16")]
    octets.append(word.swapcase().encode("cp037"))
    hexes = [each.hex() for each in octets]
    return [
        *hexes,
        *(each.upper() for each in hexes),
        *(f"0x{each}" for each in hexes),
        *(each.hex(" ") for each in octets),
        *(f"  {each}  " for each in hexes),
        *(each.encode().hex() for each in hexes),
        "".join(f"%{octet:02X}" for octet in word.encode()),
        "".join(f"&#{ord(letter)};" for letter in word),
        f"+{word.encode('utf-16-be').hex()}",
    ]


@pytest.mark.parametrize("word", STOP_WORDS)
def test_a_word_in_another_form_is_not_plain(word: str) -> None:
    assert not [text for text in _encoded(word) if is_plain(text)]


@pytest.mark.parametrize("beginning", string.hexdigits)
def test_hex_is_not_plain_whatever_it_begins_with(beginning: str) -> None:
    assert not is_plain(f"{beginning}3544f50535f")
    assert not is_plain(f" {beginning}3 54 4f 50 53")


@given(text=st.text(alphabet=string.hexdigits + " x", max_size=40))
def test_no_text_that_other_octets_can_be_made_of_is_plain(text: str) -> None:
    try:
        bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        return
    assert not is_plain(text)


@pytest.mark.parametrize("letter", string.ascii_letters + string.digits + "\"'(#*@")
def test_ordinary_words_are_plain_whatever_they_begin_with(letter: str) -> None:
    """An ordinary text is examined once; a second time would take as long as ten messages."""
    assert is_plain(f"{letter} ordinary words, 50 % off + more & more, see you there at 8")
