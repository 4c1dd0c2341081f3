"""A program of the tests replaces only what the product has."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.support.replacing import replace_in


@pytest.fixture
def module() -> ModuleType:
    made = ModuleType("product")
    made.WAIT_SECONDS, made.TRIES = 30.0, 5
    return made


def test_the_module_has_the_values(module: ModuleType) -> None:
    replace_in(module, WAIT_SECONDS=0.1, TRIES=2)
    assert (module.WAIT_SECONDS, module.TRIES) == (0.1, 2)


def test_a_name_that_the_module_lacks_is_refused_and_nothing_is_replaced(
    module: ModuleType,
) -> None:
    with pytest.raises(AttributeError, match=r"^product has no OLD_SECONDS$"):
        replace_in(module, WAIT_SECONDS=0.1, OLD_SECONDS=0.1)
    assert module.WAIT_SECONDS == 30.0
    assert not hasattr(module, "OLD_SECONDS")
