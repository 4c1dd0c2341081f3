"""The golden rows on opting out, on the GSM alphabet and on the parts of a text."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.sms.charset import UTF_16BE, text_from_octets
from pipeline.sms.gsm7 import default as gsm7
from pipeline.sms.segmentation import PART, SINGLE, segment
from pipeline.stages.consent.reading import Meaning, read_message
from tests.support.conversation import Conversation, mo, mt
from tests.support.golden_rows import golden_rows
from tests.support.rented_numbers import ANN, BOB, SHARED, directory_from
from tests.support.sms_deliver import delivered_from_hex

ROOT = Path(__file__).parents[2]
MEANINGS = {meaning.name.lower().replace("_", "-"): meaning for meaning in Meaning}
DIRECTORY = directory_from(
    f"""
[[number]]
number = "{ANN}"
kind = "vmn"

[[number]]
number = "{SHARED}"
kind = "shared-short-code"
keywords = ["Fun"]
"""
)


def meaning_of(text: str, number: str) -> Meaning:
    """The meaning of a text at a number."""
    return read_message(mo(text, number), DIRECTORY.find(number)).meaning


@pytest.mark.parametrize("row", golden_rows("optout_keywords"))
def test_what_users_write_has_our_meaning(row: dict[str, Any]) -> None:
    given, ours = row["input"], row["ours"]
    if "words" in ours:
        for word, meaning in ours["words"].items():
            assert meaning_of(word, ANN) is MEANINGS[meaning], word
    else:
        number = SHARED if given.get("number_type") == "shared_short_code" else ANN
        assert meaning_of(given["text"], number) is MEANINGS[ours["meaning"]]


ROWS = [parameter.values[0] for parameter in golden_rows("optout_keywords")]


@pytest.mark.parametrize("row", [r for r in ROWS if "chosen" in r["ours"]], ids=lambda r: r["id"])
def test_a_number_that_chooses_the_set_has_the_stop_that_the_source_expects(row):
    number = msgspec.structs.replace(DIRECTORY.find(ANN), stop_words=row["ours"]["chosen"])
    stops = row["expected"].get("stop") or [row["input"]["text"]]
    for word in stops:
        meaning = read_message(mo(word, ANN), number).meaning
        assert meaning in (Meaning.STOP, Meaning.STOP_ALL), word


def test_where_ours_is_less_than_the_source_expects_the_row_says_both():
    """`expected` is the source's value and never ours; our value is beside it, with the reason."""
    less = {
        row["id"]: row["ours"]["because"]
        for row in ROWS
        if row["expected"].get("action") == "stop" and "stop" not in row["ours"].get("meaning", "")
    }
    assert {"kw-030", "kw-054", "kw-057", "kw-090", "kw-093"} <= less.keys()
    opening = [row["id"] for row in ROWS if row["ours"].get("meaning") == "opening"]
    assert [name for name in less if name in opening] == ["kw-042"]  # a word of its own, stopppp


FILES = (
    "gsm_pdu_text",
    "optout_keywords",
    "optout_sequences",
    "segmentation",
    "spec_rules_consent",
)


@pytest.mark.parametrize("name", FILES)
def test_rows_are_named_once_and_say_where_they_come_from(name: str) -> None:
    rows = [parameter.values[0] for parameter in golden_rows(name)]
    assert len({row["id"] for row in rows}) == len(rows)
    assert all(row["source"] and row["input"] for row in rows)
    assert all(row["ours"]["because"] for row in rows if "ours" in row)


NUMBERS_OF_SEQUENCES = {"S1": ANN, "S2": BOB, "N1": ANN, "N2": BOB, "SHARED": SHARED}


@pytest.mark.parametrize("row", golden_rows("optout_sequences"))
def test_a_sequence_of_messages_has_our_outcome(row: dict[str, Any]) -> None:
    talk = Conversation()
    for step, ours in zip(row["input"]["steps"], row["ours"]["steps"], strict=True):
        talk.pass_minutes(1)
        number = NUMBERS_OF_SEQUENCES[step.get("to") or step.get("sender") or "N1"]
        keyword = "Fun" if number == SHARED else None
        if "mo" in step:
            talk.says(step["mo"], number)
            if ours is not None:
                assert talk.is_open(number, keyword=keyword) == (ours == "open")
            continue
        decision = talk.asks(mt(step["mt"], number, keyword=keyword))
        assert ["sent", *(r.rule for r in decision.rejections)][-1] == ours


@pytest.mark.parametrize("row", golden_rows("segmentation"))
def test_a_text_takes_its_parts(row: dict[str, Any]) -> None:
    expected = row.get("ours") or row["expected"]
    if "limits" in row["input"]:
        assert SINGLE["gsm7"] == expected["gsm7_single"]
        assert PART["gsm7"] == expected["gsm7_multi"]
        assert SINGLE["ucs2"] * 2 == expected["octets_single"]
        assert PART["ucs2"] * 2 == expected["octets_multi"]
        return
    terms = re.findall(r"'(.)'(?: x (\d+))?", row["input"]["text"])
    text = "".join(character * int(times or 1) for character, times in terms)
    segmentation = segment(text)
    assert segmentation.parts == expected["parts"]
    assert segmentation.encoding == expected["encoding"].lower()


@pytest.mark.parametrize("row", golden_rows("gsm_pdu_text"))
def test_a_text_in_the_gsm_alphabet_is_read(row: dict[str, Any]) -> None:
    given, expected = row["input"], row["expected"]
    if "ucs2_hex" in given:
        octets = bytes.fromhex(given["ucs2_hex"])
        assert text_from_octets(octets, UTF_16BE) == (expected["text"], False)
    elif "gsm7_septets_hex" in given:
        octets = bytes.fromhex(given["gsm7_septets_hex"])
        assert gsm7.text_from_septets(octets) == (expected["text"], False)
        assert gsm7.septets_from_text(expected["text"]) == octets
    else:
        delivered = delivered_from_hex(given["sms_deliver_pdu_hex"])
        assert delivered.text == expected["text"]
        assert delivered.udh[1:] == bytes.fromhex(expected.get("udh", ""))
        if "src" in expected:
            assert delivered.handset == expected["src"].lstrip("+")


@pytest.mark.parametrize("row", golden_rows("spec_rules_consent"))
def test_a_rule_in_words_is_held_by_tests(row: dict[str, Any]) -> None:
    for path in row["tests"]:
        assert "def test_" in (ROOT / path).read_text()
