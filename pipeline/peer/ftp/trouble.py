"""Errors that end a poll early, by the kinds that `/metrics` counts."""

from __future__ import annotations


class Trouble(Exception):
    """A failure of the environment: lines that were not taken are read again.

    The words hold no secret.
    """

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class LoginRefused(Trouble):
    """The server refuses user and password."""

    def __init__(self, words: str) -> None:
        super().__init__("refused", words)


class Missing(Exception):
    """There is no file of that name, or it is shorter than the position asked for."""
