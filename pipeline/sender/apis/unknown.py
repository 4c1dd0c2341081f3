"""APIs that commands name and apis.toml does not have: each is said once.

An application may name any API, so that there may be as many as commands, of any length.
"""

from __future__ import annotations

import logging
from typing import Final

log = logging.getLogger("twoway.sender")

MOST_SAID: Final = 100
_SHOWN: Final = 64  # characters


class UnknownApis:
    """Those that were said."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def warn(self, api_id: str) -> None:
        """Log it, unless it was before, or enough were."""
        shown = api_id[:_SHOWN]
        if shown not in self._said and len(self._said) < MOST_SAID:
            self._said.add(shown)
            log.error("apis.toml has no API %r and no default: its commands wait", shown)
