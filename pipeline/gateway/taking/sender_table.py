"""The sender ID that a handset shows: a second implementation of the table in guide 8.2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.gateway.refusal import Refusal

if TYPE_CHECKING:
    from pipeline.gateway.settings import GatewaySettings

_NUMERIC: Final = re.compile(r"\+?[0-9]{1,16}")
_ALPHA: Final = re.compile(r"[\x20-\x7E]{1,11}")
#: Handsets of a carrier that takes no foreign sender ID: they show the default number.
NO_ALPHA_PREFIX: Final = "1"


class Shown(NamedTuple):
    """The sender ID on the handset, and whether a reply to it reaches the gateway."""

    sender_id: str
    is_answerable: bool


def shown(given: str, handset: str, *, mo: bool, settings: GatewaySettings) -> Shown:
    """The row of the table for a sender ID; raises `Refusal` if it is no valid sender ID."""
    if not given:
        return Shown(settings.default_number, False)
    if not _NUMERIC.fullmatch(given) and not _ALPHA.fullmatch(given):
        raise Refusal("106")
    number = given.lstrip("+")
    if number in settings.numbers or number in settings.short_codes:
        return Shown(number, True)
    if handset.startswith(NO_ALPHA_PREFIX):  # "if we cannot, we will set a default number"
        if mo and _NUMERIC.fullmatch(given):
            return Shown(number, False)
        return Shown(settings.default_number, False)
    return Shown(given if not _NUMERIC.fullmatch(given) else number, False)
