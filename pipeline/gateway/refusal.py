"""A refusal of the stand-in, with a code of the gateway."""

from __future__ import annotations

from pipeline.wire.clickatell.codes import refusal_of


class Refusal(Exception):
    """`code` has 3 digits; the words are the gateway's own unless others are given."""

    def __init__(self, code: str, words: str = "") -> None:
        self.code = code
        self.words = words or refusal_of(code).words
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The line in HTTP, without `ERR:`; XML has it in `fault`."""
        return f"{self.code}, {self.words}"
