"""Which message a request is about, for the lines of the log. Each request is a task of its own."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

_about: Final[ContextVar[str]] = ContextVar("about", default="")


def say_about(message: str) -> None:
    """Note the id of the message, request or command that this request is about."""
    _about.set(message)


def about() -> str:
    """The id that was noted, else an empty text."""
    return _about.get()
