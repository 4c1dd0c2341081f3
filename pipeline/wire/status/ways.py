"""The parser for the status of each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import MoRaw, Rejected, Source
from pipeline.wire.status import http, soap, xml
from pipeline.wire.status.receipt import report_from_pdu

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.wire.status.report import StatusReport


def _http(raw: MoRaw) -> StatusReport | Rejected | None:
    return http.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _xml(raw: MoRaw) -> StatusReport | Rejected | None:
    return xml.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _soap(raw: MoRaw) -> StatusReport | Rejected | None:
    return soap.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _smpp(raw: MoRaw) -> StatusReport | Rejected | None:
    return report_from_pdu(raw.octets)


_PARSERS: Final[Mapping[str, Callable[[MoRaw], StatusReport | Rejected | None]]] = {
    Source.SMPP: _smpp,
    Source.STATUS_HTTP: _http,
    Source.STATUS_XML: _xml,
    Source.STATUS_SOAP: _soap,
}


def status_report_of(raw: MoRaw) -> StatusReport | Rejected | None:
    """The status in `raw`; None if it holds a message or nothing.

    A callback may name no handset: then the key of its record does. For SMPP, call this only when
    `callback_from_raw` has found no message, because the PDU is parsed again.
    """
    parser = _PARSERS.get(raw.source)
    return None if parser is None else parser(raw)
