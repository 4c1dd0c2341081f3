"""The number directory: fast look-ups in a `Numbers` record (G4, G8.4)."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from typing import Final

from pipeline.directory.number_table import SHARED_SHORT_CODE, SHORT_CODE, TAGGED_RANGE, VMN
from pipeline.directory.toml import NumbersError, numbers_from_toml
from pipeline.records import AccountMode, AccountTerms, Number, Numbers, ReplyPath, Scope, ScopeKind

__all__ = [
    "SHARED_SHORT_CODE",
    "SHORT_CODE",
    "TAGGED_RANGE",
    "VMN",
    "Directory",
    "NumbersError",
    "numbers_from_toml",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Directory:
    """The numbers we rent. A directory never changes: a newly loaded file makes a new directory."""

    def __init__(self, numbers: Numbers, *, default_account: str = "main") -> None:
        self.numbers = numbers
        self.default_account = default_account
        self.sender_ids = frozenset(numbers.sender_ids)
        self.accounts = frozenset((default_account, *(n.account for n in numbers.numbers)))
        self._by_digits = {n.first: n for n in numbers.numbers if n.first == n.last}
        ranges = sorted(
            (n for n in numbers.numbers if n.first != n.last), key=lambda n: (len(n.first), n.first)
        )
        self._ranges = ranges
        self._range_starts = [(len(n.first), n.first) for n in ranges]
        self._paths = {path.name: path for path in numbers.reply_paths}
        self._charged = {a.name: a for a in numbers.accounts if a.mode != AccountMode.OFF}
        #: Whether any account is charged for its messages.
        self.charges: bool = bool(self._charged)
        self._by_api_id: dict[str, Number] = {}
        for number in numbers.numbers:
            self._by_api_id.setdefault(number.api_id, number)

    @classmethod
    def empty(cls) -> Directory:
        """A directory without numbers. With it, parts to every number are accepted and flagged."""
        return cls(Numbers(loaded_at=_EPOCH, digest="", numbers=[], sender_ids=[]))

    def find(self, digits: str) -> Number | None:
        """The entry of exactly this number, or of the range that holds it."""
        number = self._by_digits.get(digits)
        if number is not None or not self._ranges:
            return number
        index = bisect_right(self._range_starts, (len(digits), digits)) - 1
        if index < 0:
            return None
        candidate = self._ranges[index]
        return candidate if is_within(digits, candidate.first, candidate.last) else None

    def knows_api_id(self, api_id: str) -> bool:
        """Whether a number of ours is linked to this API."""
        return bool(api_id) and api_id in self._by_api_id

    def number_of_api_id(self, api_id: str) -> Number | None:
        """The number linked to this API. If several are linked, the first in the file."""
        return self._by_api_id.get(api_id) if api_id else None

    def account_of(self, digits: str) -> str:
        """The account of a number. A number that is not listed has the default account."""
        number = self.find(digits)
        return number.account if number else self.default_account

    def charged_account(self, name: str) -> AccountTerms | None:
        """The account, if it is charged for its messages; None if it is off."""
        return self._charged.get(name)

    def mo_price_of(self, digits: str, account: AccountTerms) -> int:
        """What an MO part to this number costs, in units."""
        number = self.find(digits)
        own = number.mo_price_units if number else None
        return account.mo_price_units if own is None else own

    def mt_price_of(self, digits: str, account: AccountTerms) -> int:
        """What an MT part from this number costs, in units."""
        number = self.find(digits)
        own = number.mt_price_units if number else None
        return account.mt_price_units if own is None else own

    def reply_path(self, name: str) -> ReplyPath | None:
        """The reply path of this name."""
        return self._paths.get(name)

    def reply_path_of(self, digits: str) -> ReplyPath | None:
        """The path by which messages of a number are handed on; None: they are not."""
        number = self.find(digits) if self._paths else None
        return self._paths.get(number.reply_path) if number else None

    def reply_paths_of(self, account: str) -> list[ReplyPath]:
        """The paths of all numbers of an account, in the order of the file."""
        used = {n.reply_path for n in self.numbers.numbers if n.account == account}
        return [path for name, path in self._paths.items() if name in used]

    def premium_of(self, account: str) -> list[Number]:
        """The MO-premium numbers of an account, which the gateway never blocks (G7.1.1)."""
        return [n for n in self.numbers.numbers if n.premium and n.account == account]

    def scope_of(self, digits: str) -> Scope:
        """The scope of a plain stop at this number: the number, or its tagged range (G8.4)."""
        number = self.find(digits)
        if number is None or number.kind != TAGGED_RANGE:
            return Scope(scope_kind=ScopeKind.NUMBER, scope=digits)
        return Scope(scope_kind=ScopeKind.RANGE, scope=f"{number.first}-{number.last}")

    def keywords_of(self, digits: str) -> tuple[str, ...]:
        """Our keywords on a shared short code. Any other number has no keywords."""
        number = self.find(digits)
        return tuple(number.keywords) if number and number.kind == SHARED_SHORT_CODE else ()


def is_within(digits: str, first: str, last: str) -> bool:
    """Whether `digits` is one of the numbers from `first` to `last`, which have the same length."""
    return len(digits) == len(first) and first <= digits <= last
