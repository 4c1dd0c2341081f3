"""The SOAP API, RPC/encoded: one `sendmsg` for each call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sender.ways.over_http.way import WayOverHttp
from pipeline.wire.clickatell.soap import SoapWire

if TYPE_CHECKING:
    from pipeline.sender.apis.api import Api


class SoapWay(WayOverHttp):
    """`Way` over SOAP. Raises `TlsError` for an address that cannot be used."""

    def __init__(self, api: Api) -> None:
        super().__init__(api, SoapWire())
