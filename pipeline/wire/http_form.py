"""The HTTP callback: variables in the query, in the form, or in both (G8.3.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from pipeline.records import Reason, Rejected
from pipeline.sms import LONGEST_CACHED
from pipeline.wire.callback import MoCallback, callback_or_rejected
from pipeline.wire.multipart import boundary_of, parts_from_octets
from pipeline.wire.percent import octets_from_percent, percent_from_octets

FORM: Final = "application/x-www-form-urlencoded"

# The guide's name of each variable, and our field, in the guide's order. Names match in any case.
_VARIABLES: Final = {
    b"api_id": "api_id",
    b"from": "handset",
    b"to": "number",
    b"timestamp": "timestamp",
    b"text": "octets",
    b"charset": "charset",
    b"udh": "udh",
    b"moMsgId": "mo_msg_id",
}
_FIELDS: Final = (
    _VARIABLES
    | {name.lower(): field for name, field in _VARIABLES.items()}
    | {b"momsgld": "mo_msg_id"}  # the guide prints an l for the I in 8.3.2 and 8.3.4
)
# The usual query of the gateway: each variable once, in the guide's order. The addresses are
# digits, and only the text and the time have escapes. This expression takes half the time of
# reading pair by pair (8 us). A property in tests/wire checks that both give the same callbacks.
_IN_ORDER: Final = re.compile(
    rb"api_id=([\w.-]*)&from=([0-9]+)&to=([0-9]+)&timestamp=([^&]*)&text=([^&]*)"
    rb"&charset=([\w.-]*)&udh=([0-9A-Fa-f]*)(?:&moMsgId=([\w.-]*))?"
)
_LONGEST_NAME: Final = 64  # octets: enough for a name with every octet escaped and blanks around it
_NO_ADDRESSES: Final = {"handset": "", "number": ""}
_ALWAYS_RENDERED: Final = frozenset({"handset", "number", "octets", "udh"})


def parse(*, query: bytes, body: bytes, content_type: str) -> MoCallback | Rejected | None:
    """The callback of one request. None when the request has no variable of a callback.

    A request without variables is a trial of the URL by the gateway. Variables of the query and of
    the form both count. If a variable comes twice, the last one counts, and the form comes after
    the query (the gateway adds its variables after those of the customer's URL). But an empty value
    never replaces another. Unknown parameters are ignored. A body of another type is also read as a
    form. If that finds no variable, the request is refused and not ignored, because the body may be
    a message.
    """
    if not body and (found := _IN_ORDER.fullmatch(query)) is not None:
        callback = _callback_in_order(found)
        if callback is not None:
            return callback
    fields = variables_of(query=query, body=body, content_type=content_type, names=_FIELDS)
    if isinstance(fields, Rejected):
        return fields
    if not fields:
        if body.strip() and not is_form(content_type):
            words = f"from is absent: a body of type {content_type!r} is not a form"
            return Rejected(Reason.MISSING_FROM, words)
        return None
    octets = fields.pop("octets", b"")
    try:
        texts = {field: value.decode() for field, value in fields.items()}
    except UnicodeDecodeError:
        texts = {field: text_from_variable(value) for field, value in fields.items()}
    return callback_or_rejected(MoCallback(octets=octets, flag="", **(_NO_ADDRESSES | texts)))


def variables_of(
    *, query: bytes, body: bytes, content_type: str, names: dict[bytes, str]
) -> dict[str, bytes] | Rejected:
    """The octets of each variable by its field, of the query and of the form; `names` has both.

    It has every name in lower case, too. Refused where an escape of the query or of a form is
    broken.
    """
    fields: dict[str, bytes] = {}
    broken = _read(query, fields, names)
    boundary = boundary_of(content_type)
    if body and not (boundary and _read_parts(body, boundary, fields, names)):
        broken_in_body = _read(body, fields, names)
        if is_form(content_type):
            broken = broken or broken_in_body
    if broken:
        return Rejected(Reason.BROKEN_PERCENT_ENCODING, f"{broken} is not percent-encoded")
    return fields


def render(callback: MoCallback) -> bytes:
    """The query string that the gateway would send, in the guide's order, without empty variables.

    From, to, text and udh are always there. `network_id` has no variable here: only the FTP log
    carries it (G8.3.2).
    """
    pairs = []
    for name, field in _VARIABLES.items():
        value = getattr(callback, field)
        if value or field in _ALWAYS_RENDERED:
            octets = value if isinstance(value, bytes) else value.encode()
            pairs.append(name + b"=" + percent_from_octets(octets))
    return b"&".join(pairs)


def _callback_in_order(found: re.Match[bytes]) -> MoCallback | None:
    """The callback of a query in the guide's order; None when an escape is broken."""
    api_id, handset, number, timestamp, text, charset, udh, mo_msg_id = found.groups(b"")
    octets = octets_from_percent(text)
    is_short = len(timestamp) <= LONGEST_CACHED
    time = (_time_from_percent if is_short else _time_from_any_percent)(timestamp)
    if octets is None or time is None:
        return None
    return MoCallback(
        handset=handset.decode(),
        number=number.decode(),
        api_id=api_id.decode(),
        mo_msg_id=mo_msg_id.decode(),
        timestamp=time,
        charset=charset.decode(),
        udh=udh.decode(),
        octets=octets,
    )


def _time_from_any_percent(encoded: bytes) -> str | None:
    octets = octets_from_percent(encoded)
    return None if octets is None else text_from_variable(octets)


# Requests of one second have the same time.
_time_from_percent: Final = lru_cache(maxsize=1024)(_time_from_any_percent)


def _read(encoded: bytes, fields: dict[str, bytes], known: dict[bytes, str]) -> str:
    """Put the variables found into `fields`; gives the name of a broken one, or empty."""
    broken = ""
    for pair in filter(None, encoded.replace(b"+", b" ").split(b"&")):
        name, _, value = pair.partition(b"=")
        field = known.get(name) or _field_from_name(name, known)
        if field is None:
            continue
        octets = octets_from_percent(value) if b"%" in value else value
        if octets is None:
            broken = broken or name.decode("latin-1")
        elif octets or field not in fields:
            fields[field] = octets
    return broken


def _read_parts(
    body: bytes, boundary: bytes, fields: dict[str, bytes], known: dict[bytes, str]
) -> bool:
    """Put the variables of form-data, not encoded (RFC 7578 4), into `fields`; whether any is."""
    found = False
    for name, octets in parts_from_octets(body, boundary):
        field = _field_from_name(name, known)
        found = found or field is not None
        if field is not None and (octets or field not in fields):
            fields[field] = octets
    return found


def _field_from_name(name: bytes, known: dict[bytes, str]) -> str | None:
    """The field of a variable whose name is in another case or itself percent-encoded."""
    if len(name) > _LONGEST_NAME:
        return None
    octets = octets_from_percent(name) if b"%" in name else name
    return known.get(octets.strip().lower()) if octets else None


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form; one without a type is taken for one."""
    kind = content_type.partition(";")[0].strip().lower()
    return not kind or kind == FORM


def text_from_variable(octets: bytes) -> str:
    """A variable other than the text: UTF-8, which ASCII is, or else ISO-8859-1; never refused."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
