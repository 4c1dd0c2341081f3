"""What keeps a poll from its end, by kinds that `/metrics` counts."""

from __future__ import annotations


class Trouble(Exception):
    """Of the environment, not of the data: what was not taken is read again. No secret in it."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


class LoginRefused(Trouble):
    """The server does not take user and password."""

    def __init__(self, words: str) -> None:
        super().__init__("refused", words)


class Missing(Exception):
    """There is no file of that name, or it does not reach as far as was asked."""
