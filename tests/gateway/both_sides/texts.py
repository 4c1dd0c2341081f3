"""The texts of a handset: stop words, STOP ALL, openings, keywords, and doubtful texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.both_sides.numbers import KEYWORDS, REPLIED, SHARED

if TYPE_CHECKING:
    import random

STOPS = ("STOP", "stop", " Stop! ", "END", "Cancel", "UNSUBSCRIBE", "quit", REPLIED)
ALL = ("STOP ALL", "stop stop", "StopAll", "stop, all!")
OTHERS = (
    *("hello", "Yes please", "HELP", "START", "👋", "???", "help me", "weekend", "STOPPED"),
    *("please do not cancel", "stop that", "I quit smoking", "stop all of it", "the end"),
    *("", "  ", "Käse für zwei", "x" * 200, f"{'y' * 180} stop {'z' * 20}", "αβγ" * 40),
)
TO_A_KEYWORD = ("{} hello", "hello {}", "{}", "STOP {}", "{} stop", "quit {}", "do not stop {}")
#: Texts that a person may mean as a stop, in characters that the guide's five words do not have.
#: No source says whether the gateway takes them as a stop; the product does, in doubt.
DOUBTFUL = ("STOP 👋", "ＳＴＯＰ", "S\u00adTOP", "STÖP", "quıt", "stop all 🙏", "ARRET", "стоп")  # noqa: RUF001


def words_for(number: str, dice: random.Random) -> tuple[str, str]:
    """Choose a text for a number; return the text and its kind: stop, all, other or doubtful."""
    kind = dice.choices(("stop", "all", "other", "doubtful"), (30, 10, 45, 5))[0]
    if kind == "stop" and number == SHARED and dice.random() < 0.7:
        kind = "other"
    if kind == "stop":
        return dice.choice(STOPS), kind
    if kind in ("all", "doubtful"):
        return dice.choice(ALL if kind == "all" else DOUBTFUL), kind
    if number == SHARED and dice.random() < 0.7:
        keyword = dice.choice((*KEYWORDS, *map(str.lower, KEYWORDS)))
        return dice.choice(TO_A_KEYWORD).format(keyword), kind
    return dice.choice(OTHERS), kind
