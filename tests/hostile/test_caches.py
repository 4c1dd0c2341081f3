"""A cache whose keys come from outside keeps no long key."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from pipeline.sms.charset import charset_from_name
from pipeline.sms.segmentation import segment
from pipeline.sms.timestamp import time_from_gateway
from pipeline.web.access import ip_from_text
from pipeline.wire import http_form

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 60_000
TIMES = 200


def _form(text: str) -> object:
    query = f"api_id=1&from=1&to=2&timestamp={text}&text=&charset=&udh="
    return http_form.parse(query=query.encode(), body=b"", content_type="")


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(_form, id="timestamp of a form"),
        pytest.param(time_from_gateway, id="timestamp"),
        pytest.param(charset_from_name, id="charset"),
        pytest.param(segment, id="text of an MT"),
        pytest.param(ip_from_text, id="address of a caller"),
    ],
)
def test_what_is_long_is_not_kept(ask: Callable[[str], object]) -> None:
    tracemalloc.start()
    try:
        for number in range(TIMES):
            ask(f"{number:09}" + "x" * LONG)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 20 * LONG
