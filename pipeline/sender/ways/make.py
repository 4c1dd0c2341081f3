"""The way of an API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.sender.apis.api import Api, UnusableApi, WayName
from pipeline.sender.ways.ftp.way import FtpWay
from pipeline.sender.ways.http import HttpWay
from pipeline.sender.ways.smpp.way import SmppWay
from pipeline.sender.ways.smtp.way import SmtpWay
from pipeline.sender.ways.soap import SoapWay
from pipeline.sender.ways.xml import XmlWay

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.sender.way import Way

_WAYS: Final[dict[WayName, Callable[[Api], Way]]] = {
    WayName.HTTP: HttpWay,
    WayName.XML: XmlWay,
    WayName.SOAP: SoapWay,
    WayName.SMPP: SmppWay,
    WayName.SMTP: SmtpWay,
    WayName.FTP: FtpWay,
}


def way_of(api: Api) -> Way:
    """The way that an API uses; raises `UnusableApi`."""
    try:
        return _WAYS[api.way](api)
    except ValueError as error:  # of TLS, the login, addresses: each way names the field
        raise UnusableApi(f"API {api.api_id}: {error}") from error
