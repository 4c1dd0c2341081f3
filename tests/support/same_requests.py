"""Pairs of MT requests under one id: the same request, or another one (`id-reused`).

`POST /mt` and the gate must give one answer for each pair.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

FIRST: Final[dict[str, Any]] = {"to": "+447700900001", "text": "Hello"}
NOT_AFTER: Final = {"not_after": "2030-01-02T03:04:05+02:00"}

#: First request, second request, whether they are the same.
PAIRS: Final = [
    pytest.param(FIRST, FIRST, True, id="no difference"),
    pytest.param(FIRST, FIRST | {"to": "447700900001"}, True, id="to without the plus"),
    pytest.param(FIRST | {"to": "447700900001"}, FIRST, True, id="to with a plus"),
    pytest.param(FIRST, FIRST | {"to": " 447700900001"}, True, id="a plus decoded to a blank"),
    pytest.param(FIRST, FIRST | {"to": " +447700900001 "}, True, id="blanks around to"),
    pytest.param(FIRST, FIRST | {"keyword": None}, True, id="no keyword, said"),
    pytest.param(FIRST, FIRST | {"keyword": ""}, True, id="an empty keyword"),
    pytest.param(FIRST, FIRST | {"from": ""}, True, id="an empty sender"),
    pytest.param(FIRST, FIRST | {"confirms_opt_out": False}, True, id="the default, said"),
    pytest.param(
        FIRST | NOT_AFTER,
        FIRST | {"not_after": "2030-01-02T01:04:05Z"},
        True,
        id="one moment in two zones",
    ),
    pytest.param(FIRST, FIRST | {"to": "++447700900001"}, False, id="two pluses"),
    pytest.param(FIRST, FIRST | {"to": "00447700900001"}, False, id="00 is no plus in a request"),
    pytest.param(FIRST, FIRST | {"to": "447700900002"}, False, id="another handset"),
    pytest.param(FIRST, FIRST | {"text": "Hello "}, False, id="another text"),
    pytest.param(FIRST, FIRST | {"text": "hello"}, False, id="another case"),
    pytest.param(FIRST, FIRST | {"from": "12345"}, False, id="another sender"),
    pytest.param(FIRST, FIRST | {"keyword": "FUN"}, False, id="another keyword"),
    pytest.param(FIRST, FIRST | {"api_id": "77"}, False, id="another api_id"),
    pytest.param(FIRST, FIRST | {"confirms_opt_out": True}, False, id="a confirmation"),
    pytest.param(FIRST, FIRST | NOT_AFTER, False, id="another not_after"),
]
