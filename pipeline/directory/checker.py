"""Read and check the fields of a TOML file, and collect every mistake with its line and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.credits import AmountError, units_from_amount
from pipeline.directory.lines import TomlLines, TomlPath
from pipeline.sms.msisdn import address_from_text, is_digits
from pipeline.sms.words.stopwords import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_DIGITS: Final = 20  # 3GPP TS 23.040 9.1.2.5: address values of up to 20 semi-octets


class TomlChecker:
    """Reads the fields of one file and collects the mistakes."""

    def __init__(self, text: str, origin: str) -> None:
        self.origin = origin
        self.lines = TomlLines(text)
        self.mistakes: list[tuple[int, str]] = []

    def mistake(self, path: TomlPath, words: str) -> None:
        """Add a mistake, with the line of its field."""
        line = self.lines.line_of(path)
        field = ".".join(str(name) for name in path if isinstance(name, str))
        self.mistakes.append((line, f"{self.origin}:{line}: {field}: {words}"))

    def text(self, table: Mapping[str, Any], path: TomlPath, default: str = "") -> str:
        """A text, trimmed."""
        value = table.get(str(path[-1]), default)
        if not isinstance(value, str):
            self.mistake(path, "must be text in quotes")
            return default
        return value.strip()

    def boolean(self, table: Mapping[str, Any], path: TomlPath, *, default: bool) -> bool:
        """True or false."""
        value = table.get(str(path[-1]), default)
        if not isinstance(value, bool):
            self.mistake(path, "must be true or false")
            return default
        return value

    def whole(
        self, table: Mapping[str, Any], path: TomlPath, *, default: int, least: int, most: int
    ) -> int:
        """A whole number between `least` and `most`."""
        value = table.get(str(path[-1]), default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.mistake(path, f"must be a whole number from {least} to {most}")
            return default
        return value

    def credits(self, table: Mapping[str, Any], path: TomlPath) -> int | None:
        """An amount of credits in units, not below zero; None if it is not given."""
        value = table.get(str(path[-1]))
        if value is None:
            return None
        if not isinstance(value, str | int) or isinstance(value, bool):
            self.mistake(path, 'must be credits in quotes, such as "1/3", "0.3" or "1"')
            return None
        try:
            units = units_from_amount(str(value))
        except AmountError as error:
            self.mistake(path, str(error))
            return None
        if units < 0:
            self.mistake(path, "must not be below zero")
        return units

    def digits(self, table: Mapping[str, Any], path: TomlPath) -> str:
        """An address in digits, without its plus."""
        value = address_from_text(self.text(table, path))
        if isinstance(table.get(str(path[-1])), str) and not (
            is_digits(value) and len(value) <= LONGEST_DIGITS
        ):
            self.mistake(path, f"must be digits, at most {LONGEST_DIGITS}")
        return value

    def phrases(self, table: Mapping[str, Any], path: TomlPath) -> list[str]:
        """Phrases in the form that texts are compared in, and in upper case. Each comes once."""
        value = table.get(str(path[-1]), [])
        if not isinstance(value, list) or not all(isinstance(phrase, str) for phrase in value):
            self.mistake(path, "must be a list of texts in quotes")
            return []
        found: dict[str, None] = {}
        for phrase in value:
            spelling = " ".join(words_of(phrase)).upper()
            if not spelling:
                self.mistake(path, f"{phrase!r} has no letters or digits")
            elif spelling in found:
                self.mistake(path, f"{phrase!r} is there twice")
            else:
                found[spelling] = None
        return list(found)

    def unknown(self, table: Mapping[str, Any], path: TomlPath, known: frozenset[str]) -> None:
        """Add a mistake for each field that is not `known`."""
        for name in table:
            if name not in known:
                self.mistake(
                    (*path, name), f"there is no such field; there are {', '.join(sorted(known))}"
                )
