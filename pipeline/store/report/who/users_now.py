"""Who may sign in now: `users.toml` as it is, read again when it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from pipeline.store.report.who.users_file import User, UsersError

log = logging.getLogger(__name__)

ReadUsers = Callable[[], Mapping[str, User] | None]
#: The file is looked at so often at most.
LOOK_SECONDS: Final = 1.0
GONE: Final = "users.toml is gone"


class Users(msgspec.Struct, frozen=True, kw_only=True):
    """The users; `trouble` says why there are none where the file cannot be used."""

    known: Mapping[str, User]
    are_set: bool
    trouble: str = ""


class UsersNow:
    """Reads the users, at most once a second.

    A file that cannot be used lets nobody in. So does one that is gone: without users the report
    would be open.
    """

    def __init__(self, read: ReadUsers) -> None:
        self._read = read
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._now = Users(known={}, are_set=False)

    def look(self) -> Users:
        """The users, read now."""
        self._looked_at = time.monotonic()
        before = self._now
        try:
            found = self._read()
        except UsersError as error:
            self._now = Users(known={}, are_set=True, trouble=str(error))
        else:
            if found is not None:
                self._now = Users(known=found, are_set=True)
            elif before.are_set:
                self._now = Users(known={}, are_set=True, trouble=GONE)
        if self._now.trouble and self._now.trouble != before.trouble:
            log.error("nobody signs in to the report by a password: %s", self._now.trouble)
        return self._now

    @property
    def are_set(self) -> bool:
        """Whether there were users when the file was looked at last."""
        return self._now.are_set

    async def current(self) -> Users:
        """The users, as they were a second ago at most."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                await asyncio.to_thread(self.look)
        return self._now
