"""Product and stand-in get the same conversation, and must agree as `world` says."""

import pytest

from tests.gateway.both_sides.__main__ import play
from tests.gateway.both_sides.comparing import SAME, UNDER_WAY

WORLDS = 15


@pytest.mark.parametrize("first", [0, 1000, 2000])
async def test_the_product_says_what_the_gateway_believes(first, tmp_path):
    counts = await play(first, WORLDS, tmp_path)
    assert counts[SAME] > 0.85 * counts.total()
    assert counts[UNDER_WAY] > 10
