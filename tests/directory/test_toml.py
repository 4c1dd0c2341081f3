"""`numbers.toml` checked as a whole: each mistake with its line and field."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.avro.single_object import decode, encode
from pipeline.directory.directory import NumbersError, numbers_from_toml
from pipeline.records import CustomReply, Number, Numbers
from tests.support.rented_numbers import NUMBERS

LOADED = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)


def load(text: str) -> Numbers:
    """The directory that this file describes."""
    return numbers_from_toml(text, origin="numbers.toml", loaded_at=LOADED)


def test_every_field_is_read() -> None:
    text = """
sender_ids = ["ACME", "+44 ", "447700800000"]

[[number]]
number = "+56789"
kind = "shared-short-code"
api_id = "3041"
account = "second"
keywords = ["Fun", "game  club"]
premium = true
mt_billed = true
linked = "447700900004"
may_send = false
strict = true
extra_stop_words = ["halt", "opt-out"]
[number.custom_reply.stop]
enabled = true
text = "Bye"
sent_by = "gateway"
[number.custom_reply.HALT]
enabled = false

[[number]]
number = "447700900004"
kind = "vmn"
"""
    numbers = load(text)
    assert numbers.numbers[0] == Number(
        first="56789",
        last="56789",
        kind="shared-short-code",
        api_id="3041",
        account="second",
        keywords=["FUN", "GAME CLUB"],
        premium=True,
        mt_billed=True,
        linked="447700900004",
        may_send=False,
        strict=True,
        extra_stop_words=["HALT", "OPT OUT"],
        custom_replies=[
            CustomReply(word="STOP", enabled=True, text="Bye", sent_by="gateway"),
            CustomReply(word="HALT", enabled=False, text=None, sent_by="us"),
        ],
    )
    assert numbers.sender_ids == ["ACME", "44", "447700800000"]
    assert numbers.digest == sha256(text.encode()).hexdigest()
    assert numbers.loaded_at == LOADED


def test_what_is_left_out_has_its_default() -> None:
    [number] = load('[[number]]\nnumber = "447700900001"\nkind = "vmn"\n').numbers
    assert (number.api_id, number.account, number.linked) == ("", "main", "")
    assert (number.premium, number.mt_billed, number.may_send, number.strict) == (
        False,
        False,
        True,
        False,
    )


def test_the_record_survives_avro() -> None:
    numbers = load(NUMBERS)
    assert decode(encode(numbers)) == numbers


def test_an_empty_file_lists_nothing() -> None:
    assert load("").numbers == []


A = '[[number]]\nnumber = "447700900001"\nkind = "vmn"\n'
CODE = '[[number]]\nnumber = "1234"\nkind = "shared-short-code"\n'


def tagged(first: str, last: str) -> str:
    """A range, in four lines."""
    return f'[[number]]\nkind = "tagged-range"\nfirst = "{first}"\nlast = "{last}"\n'


MISTAKES = [
    ("no-such-field", A + "premum = true", "4: number.premum: there is no such field"),
    ("no-such-top-level-field", "numbers = []\n" + A, "1: numbers: there is no such field"),
    (
        "number-is-no-text",
        '[[number]]\nnumber = 12345\nkind = "short-code"',
        "2: number.number: must be text in quotes",
    ),
    (
        "number-is-no-digits",
        '[[number]]\nkind = "vmn"\nnumber = "44x"',
        "3: number.number: must be digits",
    ),
    (
        "number-is-too-long",
        f'[[number]]\nkind = "vmn"\nnumber = "{"4" * 21}"',
        "3: number.number: must be digits",
    ),
    ("number-is-missing", '\n[[number]]\nkind = "vmn"', "2: number.number: is missing"),
    ("kind-is-missing", '[[number]]\nnumber = "1234"', "1: number.kind: is missing"),
    (
        "kind-is-none",
        '[[number]]\nnumber = "1234"\n\nkind = "short"',
        "4: number.kind: must be one of vmn,",
    ),
    (
        "range-without-last",
        '[[number]]\nkind = "tagged-range"\nfirst = "100"',
        "1: number.last: is missing",
    ),
    ("range-backwards", tagged("200", "100"), "4: number.last: must not be below"),
    ("range-of-two-lengths", tagged("20", "100"), "4: number.last: must have as many digits"),
    (
        "range-with-a-number",
        tagged("20", "22") + 'number = "21"',
        "5: number.number: a tagged-range has first and last",
    ),
    ("number-with-first", A + 'first = "1"', "4: number.first: is for a tagged-range"),
    (
        "the-same-number-twice",
        A + "\n" + A,
        "6: number.number: is listed already, by the [[number]] of line 1",
    ),
    (
        "a-number-inside-a-range",
        A + tagged("447700900000", "447700900009"),
        "6: number.first: is listed already, by the [[number]] of line 1",
    ),
    (
        "ranges-that-overlap",
        tagged("100", "200") + tagged("200", "300"),
        "7: number.first: is listed already",
    ),
    (
        "a-range-inside-a-range-behind-another",
        tagged("100", "900") + tagged("150", "150") + tagged("800", "801"),
        "7: number.first: is listed already, by the [[number]] of line 1\n"
        "numbers.toml:11: number.first: is listed already, by the [[number]] of line 1",
    ),
    (
        "keywords-elsewhere",
        A + 'keywords = ["FUN"]',
        "4: number.keywords: is for a shared-short-code",
    ),
    ("no-keywords", CODE, "1: number.keywords: is missing"),
    (
        "keyword-twice",
        CODE + 'keywords = ["fun", "FUN"]',
        "4: number.keywords: 'FUN' is there twice",
    ),
    (
        "keyword-is-a-stop-word",
        CODE + 'keywords = ["the end"]',
        "4: number.keywords: 'THE END' could not be told",
    ),
    ("keyword-all", CODE + 'keywords = ["all"]', "4: number.keywords: 'ALL' could not be told"),
    (
        "keyword-without-letters",
        CODE + 'keywords = ["!"]',
        "4: number.keywords: '!' has no letters",
    ),
    ("keywords-are-no-list", CODE + 'keywords = "FUN"', "4: number.keywords: must be a list"),
    ("mt-billed-without-linked", A + "mt_billed = true", "1: number.linked: is missing"),
    ("linked-is-not-listed", A + 'linked = "447700900002"', "4: number.linked: is not listed"),
    (
        "linked-is-billed-itself",
        A + 'mt_billed = true\nlinked = "447700900001"',
        "5: number.linked: must be a standard-rate number",
    ),
    ("boolean-is-text", A + 'strict = "yes"', "4: number.strict: must be true or false"),
    ("account-is-empty", A + 'account = " "', "4: number.account: must not be empty"),
    (
        "extra-stop-words-are-no-texts",
        A + "extra_stop_words = [1]",
        "4: number.extra_stop_words: must be a list",
    ),
    (
        "stop-words-are-no-texts",
        A + "stop_words = 1",
        "4: number.stop_words: must be a list",
    ),
    (
        "stop-words-of-no-set",
        A + 'stop_words = ["fr", "xx"]',
        "4: number.stop_words: there is no set 'xx'",
    ),
    (
        "extra-stop-word-that-re-enables",
        A + 'extra_stop_words = ["Start"]',
        "4: number.extra_stop_words: 'START' has another meaning",
    ),
    (
        "extra-stop-word-that-asks-for-help",
        A + 'extra_stop_words = ["help!"]',
        "4: number.extra_stop_words: 'HELP' has another meaning",
    ),
    (
        "reply-to-no-stop-word",
        A + "[number.custom_reply.HALT]\nenabled = true",
        "4: number.custom_reply.HALT: must be one of STOP,",
    ),
    (
        "reply-to-stop-all",
        A + '[number.custom_reply."STOP ALL"]',
        "4: number.custom_reply.STOP ALL: must be one of",
    ),
    (
        "reply-with-another-field",
        A + "[number.custom_reply.STOP]\nenable = true",
        "5: number.custom_reply.STOP.enable: there is no such field",
    ),
    (
        "reply-with-an-empty-text",
        A + '[number.custom_reply.STOP]\ntext = ""',
        "5: number.custom_reply.STOP.text: must not be empty",
    ),
    (
        "reply-sent-by-whom",
        A + '[number.custom_reply.STOP]\nsent_by = "them"',
        "5: number.custom_reply.STOP.sent_by: must be one of us, gateway",
    ),
    ("reply-is-no-table", A + 'custom_reply = "Bye"', "4: number.custom_reply: must be tables"),
    (
        "sender-id-too-long",
        '\nsender_ids = ["ACME COMPANY LTD"]',
        "2: sender_ids: 'ACME COMPANY LTD' must have",
    ),
    ("sender-ids-are-no-list", 'sender_ids = "ACME"', "1: sender_ids: must be a list"),
    ("number-is-no-table", "number = [1]", "1: number: must be tables"),
    (
        "in-an-inline-table",
        'number = [\n {number = "1", kind = "vmn"},\n {number = "2"}]',
        "1: number.kind: is missing",
    ),
    ("not-toml", "[[number]]\nnumber = ", "2: Invalid value"),
    ("not-toml-at-the-end", '[[number]]\nnumber = "1', "2: "),
]


@pytest.mark.parametrize(("text", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_refused_with_line_and_field(text: str, words: str) -> None:
    with pytest.raises(NumbersError) as refused:
        load(text)
    assert str(refused.value).startswith(f"numbers.toml:{words}"), str(refused.value)


def test_all_mistakes_are_told_at_once_in_the_order_of_lines() -> None:
    with pytest.raises(NumbersError) as refused:
        load(A + 'strict = 1\n[[number]]\nnumber = "x"\nkind = "y"\n')
    assert [line.split(": ")[:2] for line in str(refused.value).splitlines()] == [
        ["numbers.toml:4", "number.strict"],
        ["numbers.toml:6", "number.number"],
        ["numbers.toml:7", "number.kind"],
    ]


@given(
    st.lists(
        st.sampled_from(
            [
                "[[number]]",
                'number = "1"',
                'kind = "vmn"',
                "x = 1",
                "[number.custom_reply.STOP]",
                '"a.b" = 2',
                "# [[number]]",
                's = """',
                '"""',
                "l = [",
                "]",
                "'''",
                "",
                "a.b.c = {d = 1}",
                "[other]",
                't = "#["',
            ]
        ),
        max_size=12,
    )
)
def test_any_file_is_read_or_refused_with_a_line(lines: list[str]) -> None:
    try:
        load("\n".join(lines))
    except NumbersError as error:
        for line in str(error).splitlines():
            assert line.startswith("numbers.toml:")
            assert 1 <= int(line.split(":")[1]) <= max(1, len(lines))
