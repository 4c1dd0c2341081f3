"""A number of every kind, in the form of the product and in the form of the stand-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.directory.directory import numbers_from_toml
from pipeline.gateway.rented import Rented
from pipeline.gateway.settings import MoWay
from tests.support.partition import NOON

if TYPE_CHECKING:
    from pipeline.records import Numbers

ONE, TWO, LINKED = "447700900100", "447700900101", "447700900102"
CODE, PREMIUM, BILLED, SHARED = "12345", "34567", "45678", "56789"
FIRST, INSIDE, LAST = "27600000100", "27600000150", "27600000199"
KEYWORDS = ("FUN", "GAME")
TEXTED = (ONE, TWO, CODE, PREMIUM, BILLED, LINKED, SHARED, FIRST, INSIDE)
SCOPES = (
    *(ONE, TWO, CODE, PREMIUM, BILLED, LINKED),
    f"{FIRST}-{LAST}",
    *(f"{SHARED}/{keyword}" for keyword in KEYWORDS),
)
#: The stop word that the gateway answers by itself, at each number (guide 7.2.1).
REPLIED = "QUIT"
_TOML = f"""
[[number]]
number = "{ONE}"
kind = "vmn"
[[number]]
number = "{TWO}"
kind = "vmn"
[[number]]
number = "{LINKED}"
kind = "vmn"
[[number]]
number = "{CODE}"
kind = "short-code"
[[number]]
number = "{PREMIUM}"
kind = "short-code"
premium = true
[[number]]
number = "{BILLED}"
kind = "short-code"
mt_billed = true
linked = "{LINKED}"
[[number]]
number = "{SHARED}"
kind = "shared-short-code"
keywords = ["Fun", "game"]
[[number]]
first = "{FIRST}"
last = "{LAST}"
kind = "tagged-range"
"""
_REPLY = f"""[number.custom_reply.{REPLIED}]
text = "Bye from the gateway"
sent_by = "gateway"
"""


def numbers_of_the_product() -> Numbers:
    """The product's record of numbers.toml."""
    numbers = "".join(f"[[number]]{each}{_REPLY}" for each in _TOML.split("[[number]]")[1:])
    return numbers_from_toml(numbers, origin="numbers.toml", loaded_at=NOON)


def settings_of_the_gateway() -> dict[str, Any]:
    """The stand-in's settings for the same numbers; each number has a different way."""
    forms = [way for way in MoWay if "-" in way]
    return {
        "numbers": (ONE, TWO, LINKED, FIRST, INSIDE, LAST),
        "short_codes": (CODE, PREMIUM, BILLED, SHARED),
        "rented": Rented(
            ranges=((FIRST, LAST),),
            keywords={SHARED: KEYWORDS},
            premium=(PREMIUM,),
            linked={BILLED: LINKED},
        ),
        "custom_replies": {REPLIED: "Bye from the gateway"},
        "mo_ways": {number: forms[at % len(forms)] for at, number in enumerate(TEXTED)},
        "credits": 1e9,
    }
