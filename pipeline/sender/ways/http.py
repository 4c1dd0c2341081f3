"""The HTTP/S API: one form for each message, one line as answer (G8.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sender.ways.over_http.way import WayOverHttp
from pipeline.wire.clickatell.http import HttpWire

if TYPE_CHECKING:
    from pipeline.sender.apis.api import Api


class HttpWay(WayOverHttp):
    """`Way` over HTTP forms. Raises `TlsError` for an address that cannot be used."""

    def __init__(self, api: Api) -> None:
        super().__init__(api, HttpWire())
