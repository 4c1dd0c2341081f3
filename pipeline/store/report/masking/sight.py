"""What the caller of this request may see. Whatever runs for a request sees as its caller does."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.store.report.caller import Right

if TYPE_CHECKING:
    from pipeline.store.report.caller import Caller


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """Whether handsets are seen, and texts."""

    numbers: bool
    texts: bool

    @property
    def is_full(self) -> bool:
        """Whether nothing is masked."""
        return self.numbers and self.texts


#: Without a request nothing is seen: who forgets to say who asks shows too little, not too much.
BLIND: Final = Sight(numbers=False, texts=False)
SEEING: Final[ContextVar[Sight]] = ContextVar("SEEING", default=BLIND)


def sight_of(caller: Caller) -> Sight:
    """What a caller sees."""
    return Sight(numbers=caller.may(Right.NUMBERS), texts=caller.may(Right.TEXTS))
