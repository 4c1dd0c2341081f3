"""A refusal by the stand-in, with an error code of the gateway."""

from __future__ import annotations

from pipeline.wire.clickatell.codes import refusal_of


class Refusal(Exception):
    """A call is refused; `code` has 3 digits, and the default words are the gateway's."""

    def __init__(self, code: str, words: str = "") -> None:
        self.code = code
        self.words = words or refusal_of(code).words
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """Code and words: HTTP puts `ERR: ` before them, XML has them in `fault`."""
        return f"{self.code}, {self.words}"
