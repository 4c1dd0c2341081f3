"""The status callback by SOAP: `tns:mt_callback` in an envelope, in `data` or as the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.wire.soap import with_blanks
from pipeline.wire.status.xml import report_from_request

if TYPE_CHECKING:
    from pipeline.records import Rejected
    from pipeline.wire.status.report import StatusReport


def parse(*, query: bytes, body: bytes, content_type: str) -> StatusReport | Rejected | None:
    """The report of a request; None if it has no part of a report: the gateway tests the URL."""
    return report_from_request(query=query, body=body, content_type=content_type, also=with_blanks)
