"""Requests to be left alone are put to review, however their words are separated."""

from __future__ import annotations

import pytest

from pipeline.sms.words.stopword_sets import STOP_REQUESTS
from pipeline.sms.words.stopwords_wide import may_be_a_stop


@pytest.mark.parametrize("request_words", STOP_REQUESTS)
@pytest.mark.parametrize("between", [" ", ".", "-", "  ", "'", "\n"])
def test_a_request_is_found_whatever_stands_between_its_words(request_words, between):
    words = request_words.replace(" ", between)
    assert may_be_a_stop(words)
    assert may_be_a_stop(f"hello there, please {words} from today on")


@pytest.mark.parametrize(
    "text", ["thank you, what is my number", "are you at home tomorrow or not"]
)
def test_other_words_are_no_request(text):
    assert not may_be_a_stop(text)
