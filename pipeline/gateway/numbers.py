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
    ranges, keywords, which are rated, which number speaks for a code, and the replies that it sends
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
            rented=_rented_from(tables, known),
            replies={table["number"]: _replies(table) for table in known if _replies(table)},
        )
    except (ValueError, RecursionError, AttributeError, TypeError) as error:  # of TOML included
        raise UnusableNumbers(f"{file}: {error}") from error


def _rented_from(tables: list[dict[str, Any]], known: list[dict[str, Any]]) -> Rented:
    return Rented(
        ranges=[(str(t["first"]), str(t["last"])) for t in tables if "first" in t and "last" in t],
        keywords={
            t["number"]: [str(keyword).upper() for keyword in t.get("keywords", ())]
            for t in known
            if t.get("kind") == "shared-short-code"
        },
        premium={t["number"] for t in known if t.get("premium") is True},
        linked={
            t["number"]: str(t["linked"])
            for t in known
            if t.get("mt_billed") is True and t.get("linked")
        },
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
