"""The XML API: one `sendMsg` for each document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sender.ways.over_http.way import WayOverHttp
from pipeline.wire.clickatell.xml import XmlWire

if TYPE_CHECKING:
    from pipeline.sender.apis.api import Api


class XmlWay(WayOverHttp):
    """`Way` over XML. Raises `TlsError` for an address that cannot be used."""

    def __init__(self, api: Api) -> None:
        super().__init__(api, XmlWire())
