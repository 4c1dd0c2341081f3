"""The status callback by HTTP: variables in the query, in the form, or in both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import Reason, Rejected
from pipeline.wire.http_form import is_form, text_from_variable, variables_of
from pipeline.wire.status.fields import VARIABLES, report_from_texts

if TYPE_CHECKING:
    from pipeline.wire.status.report import StatusReport

_NAMES: Final = {
    spelling.encode(): field
    for name, field in VARIABLES.items()
    for spelling in (name, name.lower())
}


def parse(*, query: bytes, body: bytes, content_type: str) -> StatusReport | Rejected | None:
    """The report of a request; None if it has no variable of a report: the gateway tests the URL.

    As lenient as for an MO: order, case, query and form.
    """
    fields = variables_of(query=query, body=body, content_type=content_type, names=_NAMES)
    if isinstance(fields, Rejected):
        return fields
    if fields:
        return report_from_texts({name: text_from_variable(fields[name]) for name in fields})
    if body.strip() and not is_form(content_type):
        words = f"to is absent: a body of type {content_type!r} is not a form"
        return Rejected(Reason.MISSING_TO, words)
    return None
