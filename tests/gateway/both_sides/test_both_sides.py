"""The product and the stand-in, told the same conversation; `world` says what is compared."""

import pytest

from tests.gateway.both_sides.__main__ import play

WORLDS = 20


@pytest.mark.parametrize("first", [0, 1000, 2000])
async def test_the_product_says_what_the_gateway_believes(first, tmp_path):
    counts = await play(first, WORLDS, tmp_path)
    assert counts["the same"] > 0.9 * counts.total()
    assert counts["our confirmation is under way, or lost"] > 10
