"""`twoway sql --param` sets the parameters of a query."""

from __future__ import annotations

import pytest

from pipeline.cli.records.answer_forms import parameters_from_words
from pipeline.cli.terminal.failure import CommandError


def test_the_value_is_everything_behind_the_first_sign() -> None:
    assert parameters_from_words(["text=a;b=c", "empty="]) == {"text": "a;b=c", "empty": ""}


@pytest.mark.parametrize("words", [["text"], ["=a"], [" =a"], ["a=1", "a=2"]])
def test_what_is_no_parameter_is_said(words: list[str]) -> None:
    with pytest.raises(CommandError, match="--param"):
        parameters_from_words(words)
