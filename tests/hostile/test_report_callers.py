"""Whatever a caller sends to be let in, or a handset to be masked, takes time in proportion."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.report.access_records import filters_told, statement_told
from pipeline.store.report.masking.columns_seen import without_numbers
from pipeline.store.report.masking.seal import NotSealed, Seal
from pipeline.store.report.signing_in import _next_of
from pipeline.store.report.who.single_sign_on.roles import roles_in
from pipeline.store.report.who.users_file import UsersError, users_from_toml
from tests.hostile.growth import refuse_steep_growth

if TYPE_CHECKING:
    from collections.abc import Callable

SEAL = Seal(bytes(64))


def quiet(call: Callable[..., Any]) -> Callable[[str], None]:
    """The call, with its refusals."""

    def called(words: str) -> None:
        with contextlib.suppress(NotSealed, UsersError):
            call(words)

    return called


WORK = {
    "digits": without_numbers,
    "statement": statement_told,
    "filter": lambda words: filters_told({"rule": words}),
    "next": _next_of,
    "seal": quiet(SEAL.unsealed),
    "roles": lambda words: roles_in({"a": {"b": words}}, "a.b"),
    "users": quiet(lambda words: users_from_toml(words, origin="u")),
}
PIECES = ["4", "4 ", "4 - ", "~", "a/", "'", "'\\", "/*", "$a", "[[user]]\n", "x = 1\n", "\u0664"]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("name", WORK)
def test_it_grows_with_its_length(name: str, piece: str) -> None:
    most = 1 << (13 if name == "users" else 15)

    def work(size: int) -> Callable[[], object]:
        words = piece * (size // len(piece) + 1)
        return lambda: WORK[name](words)

    refuse_steep_growth(work, largest=most)
