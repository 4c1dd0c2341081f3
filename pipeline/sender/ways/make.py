"""The way of an API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.sender.apis import Api, WayName
from pipeline.sender.ways.http import HttpWay
from pipeline.sender.ways.smpp.way import SmppWay
from pipeline.sender.ways.smtp.way import SmtpWay
from pipeline.sender.ways.soap import SoapWay
from pipeline.sender.ways.xml import XmlWay

if TYPE_CHECKING:
    from pipeline.sender.way import Way


def way_of(api: Api) -> Way:
    """The way that an API goes by; raises `TlsError` for TLS that cannot be used."""
    match api.way:
        case WayName.HTTP:
            return HttpWay(api)
        case WayName.XML:
            return XmlWay(api)
        case WayName.SOAP:
            return SoapWay(api)
        case WayName.SMPP:
            return SmppWay(api)
        case WayName.SMTP:
            return SmtpWay(api)
        case WayName.FTP:
            return FtpWay(api)
