"""The bench of the state, with few keys: it measures what it says."""

from __future__ import annotations

from tests.bench import state_bench


def test_the_bench_finds_every_row_again():
    sizes = {"seen": 20_000, "assemblies": 2_000, "consents": 10_000}
    figures = state_bench.run(sizes, partitions=2, keys=8_000)
    assert figures["reopened rows"] == sum(sizes.values())
    assert figures["rows found due"] == 61  # one a second, from second 0 to 60
    assert figures["changelog keys"] == 8_000
    assert figures["peak RSS, MB"] < 1_500
