"""Logs each API that commands name and apis.toml does not have, once.

The log is bounded: an application may name a new API, of any length, in every command.
"""

from __future__ import annotations

import logging
from typing import Final

log = logging.getLogger("twoway.sender")

MOST_SAID: Final = 100
_SHOWN: Final = 64  # characters


class UnknownApis:
    """The unknown APIs that were logged."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, api_id: str) -> None:
        """Log an unknown API, unless it was logged before or the log has enough of them."""
        shown = api_id[:_SHOWN]
        if shown not in self._said and len(self._said) < MOST_SAID:
            self._said.add(shown)
            log.error("apis.toml has no API %r and no default: its commands wait", shown)
