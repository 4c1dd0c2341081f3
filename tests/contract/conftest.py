"""The codec in its two forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline import compiled
from pipeline.avro import single_object

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", params=["python", "native"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    """The form of the codec under test: Python, or compiled C."""
    if request.param == "native":
        if compiled.form() == "python":
            pytest.skip("the codec in C is not compiled")
        assert single_object.NATIVE is not None
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "python":
            patch.setattr(single_object, "NATIVE", None)
        single_object._codecs.cache_clear()
        yield request.param
    single_object._codecs.cache_clear()
