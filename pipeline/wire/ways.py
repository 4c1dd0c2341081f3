"""The ways in: the parser for each source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import MoRaw, Reason, Rejected, Source
from pipeline.wire import http_form, mo_log, soap, xml
from pipeline.wire.smpp import callback as smpp_callback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.wire.callback import MoCallback


def _http(raw: MoRaw) -> MoCallback | Rejected | None:
    return http_form.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _xml(raw: MoRaw) -> MoCallback | Rejected | None:
    return xml.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _soap(raw: MoRaw) -> MoCallback | Rejected | None:
    return soap.parse(query=raw.query, body=raw.octets, content_type=raw.content_type)


def _ftp(raw: MoRaw) -> MoCallback | Rejected | None:
    return mo_log.parse(raw.octets)


def _smpp(raw: MoRaw) -> MoCallback | Rejected | None:
    return smpp_callback.callback_from_pdu(raw.octets, alphabet=raw.alphabet)


def _no_message(_raw: MoRaw) -> None:
    """Nothing: `pipeline.wire.status` reads a status."""


_PARSERS: Final[Mapping[str, Callable[[MoRaw], MoCallback | Rejected | None]]] = {
    Source.HTTP: _http,
    Source.XML: _xml,
    Source.SOAP: _soap,
    Source.SMPP: _smpp,
    Source.FTP: _ftp,
    Source.STATUS_HTTP: _no_message,
    Source.STATUS_XML: _no_message,
    Source.STATUS_SOAP: _no_message,
}


def callback_from_raw(raw: MoRaw) -> MoCallback | Rejected | None:
    """The callback in `raw`; None when there is none. A source without a parser is rejected."""
    parser = _PARSERS.get(raw.source)
    if parser is None:
        return Rejected(Reason.UNREADABLE_RECORD, f"nothing here reads the source {raw.source!r}")
    return parser(raw)
