"""Who asks, and what the caller may.

A role is a set of rights. A route says which of them it needs (`route.py`). What a caller sees of
rows follows from them too (`masking`), so no page asks for a right by itself.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec


class Right(StrEnum):
    """What a caller may do or see."""

    NUMBERS = "numbers"  # handsets in full
    TEXTS = "texts"  # what was written
    DOWNLOAD = "download"  # exports
    DECIDE = "decide"  # reviews and retries
    SQL = "sql"  # statements of one's own
    ACCOUNTS = "accounts"  # accounts, and who may


class SignedInBy(StrEnum):
    """How a caller was let in."""

    NOBODY = ""  # no users are set, and the address may call
    PASSWORD = "password"  # noqa: S105  a way, and no password
    SINGLE_SIGN_ON = "single-sign-on"
    TOKEN = "token"  # noqa: S105  the command line, by the token of the home


EVERYTHING: Final = frozenset(Right)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks. `name` is empty where no users are set."""

    name: str
    rights: frozenset[Right]
    by: SignedInBy = SignedInBy.NOBODY
    address: str = ""
    session: str = ""  # what the caller's forms are bound to
    is_in: bool = True  # not: may see the page to sign in alone

    def may(self, right: Right) -> bool:
        """Whether the caller has this right."""
        return right in self.rights
