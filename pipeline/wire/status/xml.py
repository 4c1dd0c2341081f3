"""The status callback by XML: `<callback>`, in `data` or as the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Reason, Rejected
from pipeline.wire.status import http
from pipeline.wire.status.fields import STATUS_CONTAINERS, VARIABLES, report_from_texts
from pipeline.wire.xml import document_from_request
from pipeline.wire.xml_repair import fields_from_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.wire.status.report import StatusReport

_FIELDS: Final = {name.lower(): field for name, field in VARIABLES.items()}


def parse(*, query: bytes, body: bytes, content_type: str) -> StatusReport | Rejected | None:
    """The report of a request; None if it has no part of a report: the gateway tests the URL."""
    return report_from_request(query=query, body=body, content_type=content_type)


def report_from_request(
    *, query: bytes, body: bytes, content_type: str, also: Callable[[bytes], bytes] = bytes
) -> StatusReport | Rejected | None:
    """The report of a request; `also` is a repair of markup that is not flagged."""
    document = document_from_request(
        query=query, body=body, content_type=content_type, form=http.parse
    )
    if not isinstance(document, bytes):
        return document
    read = fields_from_document(document, containers=STATUS_CONTAINERS, also=also)
    if isinstance(read.fields, Rejected):
        return read.fields
    if read.fields is None:
        return Rejected(Reason.MISSING_TO, "to is absent: there is no status in the XML")
    given = {_FIELDS[name]: text for name, text in read.fields.items() if name in _FIELDS}
    return report_from_texts(given, is_repaired=read.repaired)
