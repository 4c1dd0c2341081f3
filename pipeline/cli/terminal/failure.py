"""The exception of a command that cannot do its work."""

from __future__ import annotations


class CommandError(Exception):
    """An expected failure, in one sentence for stderr; the exit code is 1."""
