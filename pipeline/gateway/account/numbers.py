"""What the home's `numbers.toml` says of the account's numbers, read by the stand-in itself."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.rented import Rented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.gateway.settings import GatewaySettings

NUMBERS: Final = "numbers.toml"
_CODES: Final = frozenset({"short-code", "shared-short-code"})


class UnusableNumbers(ValueError):
    """The file is no TOML, or not of tables."""


def with_numbers(settings: GatewaySettings) -> GatewaySettings:
    """The settings with the numbers of the home beside those given; raises `UnusableNumbers`.

    The product checks the file. Here is read what the gateway would know: its own numbers, codes,
    keywords, ranges, which are rated, which number speaks for a code, and the replies that it sends
    itself.
    """
    file = settings.home / NUMBERS
    if not file.is_file():
        return settings
    try:
        tables = tomllib.loads(file.read_text()).get("number", [])
        known = [table for table in tables if isinstance(table.get("number"), str)]
        codes = [table for table in known if table.get("kind") in _CODES]
        return replace(
            settings,
            numbers=_together(settings.numbers, [t for t in known if t not in codes]),
            short_codes=_together(settings.short_codes, codes),
            rented=_rented(settings.rented, tables),
            replies={table["number"]: _replies(table) for table in known if _replies(table)},
        )
    except (ValueError, RecursionError, AttributeError, TypeError) as error:  # of TOML included
        raise UnusableNumbers(f"{file}: {error}") from error


def _rented(given: Rented, tables: list[dict[str, Any]]) -> Rented:
    """What the rules on consent ask for."""
    known = [table for table in tables if isinstance(table.get("number"), str)]
    keywords = {
        table["number"]: tuple(str(word).upper() for word in table.get("keywords", ()))
        for table in known
        if table.get("kind") == "shared-short-code"
    }
    linked = {
        table["number"]: str(table["linked"])
        for table in known
        if table.get("mt_billed") is True and table.get("linked")
    }
    ranges = [(str(t["first"]), str(t["last"])) for t in tables if "first" in t and "last" in t]
    premium = [table["number"] for table in known if table.get("premium") is True]
    return Rented(
        ranges=(*given.ranges, *ranges),
        keywords={**given.keywords, **keywords},
        premium={*given.premium, *premium},
        linked={**given.linked, **linked},
    )


def _together(given: tuple[str, ...], tables: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*given, *(table["number"] for table in tables))))


def _replies(table: Mapping[str, Any]) -> dict[str, str]:
    """Its custom replies (guide 7.2.1), but for those that the product sends."""
    return {
        word.upper(): str(reply.get("text", ""))
        for word, reply in table.get("custom_reply", {}).items()
        if reply.get("enabled", True) and reply.get("sent_by", "us") == "gateway"
    }
