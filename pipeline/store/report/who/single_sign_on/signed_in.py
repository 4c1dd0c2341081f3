"""What single sign-on comes to: somebody who came back, or why nobody did."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.store.report.caller import Right

#: How long somebody may take at the provider.
SIGN_ON_SECONDS: Final = 600


class NotSignedIn(ValueError):
    """Single sign-on came to nothing; the words say why, and hold no secret."""


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """Who came back, what they may, and where they go on to."""

    name: str
    rights: frozenset[Right]
    next: str
