"""The gateway's codes: why a submission is refused, and what the state of a message is.

Sources: Clickatell HTTP API 2.2.7 and 2.3.8, appendices A and B; its overview of 2014 for 130, 901
and status 014.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, NamedTuple


class About(Enum):
    """What an error code is about."""

    MESSAGE = auto()  # this message alone
    US = auto()  # whatever we send: login, account, credit, API
    SESSION = auto()  # the session ended: log in again
    PACE = auto()  # we send too much for now


class ErrorCode(NamedTuple):
    """An error code in the gateway's own words; `is_temporary`: a later attempt may succeed."""

    words: str
    about: About = About.MESSAGE
    is_temporary: bool = False


ERROR_CODES: Final[dict[str, ErrorCode]] = {
    "001": ErrorCode("Authentication failed", About.US, True),
    "002": ErrorCode("Unknown username or password", About.US, True),
    "003": ErrorCode("Session ID expired", About.SESSION, True),
    "004": ErrorCode("Account frozen", About.US, True),
    "005": ErrorCode("Missing session ID", About.SESSION, True),
    "007": ErrorCode("IP Lockdown violation", About.US, True),
    "100": ErrorCode("Data malformed"),
    "101": ErrorCode("Invalid or missing parameters"),
    "102": ErrorCode("Invalid user data header"),
    "103": ErrorCode("Unknown API message ID"),
    "104": ErrorCode("Unknown client message ID"),
    "105": ErrorCode("Invalid destination address"),
    "106": ErrorCode("Invalid source address"),
    "107": ErrorCode("Empty message"),
    "108": ErrorCode("Invalid or missing API ID", About.US, True),
    "109": ErrorCode("Missing message ID"),
    "110": ErrorCode("Error with email message"),
    "111": ErrorCode("Invalid protocol"),
    "112": ErrorCode("Invalid message type"),
    "113": ErrorCode("Maximum message parts exceeded"),
    "114": ErrorCode("Cannot route message"),
    "115": ErrorCode("Message expired"),
    "116": ErrorCode("Invalid Unicode data"),
    "120": ErrorCode("Invalid delivery time"),
    "121": ErrorCode("Destination mobile number blocked"),
    "122": ErrorCode("Destination mobile opted out"),
    "123": ErrorCode("Invalid Sender ID"),
    "128": ErrorCode("Number delisted"),
    "130": ErrorCode("Maximum MT limit exceeded", About.PACE, True),
    "201": ErrorCode("Invalid batch ID"),
    "202": ErrorCode("No batch template"),
    "301": ErrorCode("No credit left", About.US, True),
    "302": ErrorCode("Max allowed credit"),
    "901": ErrorCode("Internal error", is_temporary=True),
}
#: Of a question about a message: the gateway knows no such one.
NOT_KNOWN: Final = frozenset({"103", "104"})

_LONGEST_PAUSE_SECONDS: Final = 24 * 3600  # a later time is asked for again
_UNIX_TIME: Final = re.compile(r"(?<!\d)[1-9]\d{9}(?!\d)")


class Standing(Enum):
    """What a status says about a message."""

    NOTHING = auto()
    ON_ITS_WAY = auto()
    DELIVERED = auto()
    UNDELIVERED = auto()


class StatusCode(NamedTuple):
    """A status in the gateway's own words."""

    words: str
    standing: Standing


STATUSES: Final[dict[str, StatusCode]] = {
    "001": StatusCode("Message unknown", Standing.NOTHING),
    "002": StatusCode("Message queued", Standing.ON_ITS_WAY),
    "003": StatusCode("Delivered to gateway", Standing.ON_ITS_WAY),
    "004": StatusCode("Received by recipient", Standing.DELIVERED),
    "005": StatusCode("Error with message", Standing.UNDELIVERED),
    "006": StatusCode("User cancelled message delivery", Standing.UNDELIVERED),
    "007": StatusCode("Error delivering message", Standing.UNDELIVERED),
    # Kannel takes 008 for delivered; the document says that the gateway has it.
    "008": StatusCode("OK (received by gateway)", Standing.ON_ITS_WAY),
    "009": StatusCode("Routing error", Standing.UNDELIVERED),
    "010": StatusCode("Message expired", Standing.UNDELIVERED),
    "011": StatusCode("Message queued for later delivery", Standing.ON_ITS_WAY),
    "012": StatusCode("Out of credit", Standing.UNDELIVERED),
    "014": StatusCode("Maximum MT limit exceeded", Standing.UNDELIVERED),
}


def statuses_of(standing: Standing) -> frozenset[str]:
    """The statuses that say this about a message."""
    return frozenset(code for code, status in STATUSES.items() if status.standing is standing)


def refusal_of(code: str) -> ErrorCode:
    """The meaning of a code; a code that no document has is about the message, and final."""
    return ERROR_CODES.get(code) or ErrorCode("an error code that is not known")


def status_of(status: str) -> StatusCode:
    """The meaning of a status; a status that no document has says nothing."""
    return STATUSES.get(status) or StatusCode("a status that is not known", Standing.NOTHING)


def pause_seconds(words: str, *, now: float) -> int:
    """Seconds until the UNIX time that the words of 130 name; 0 without one. `now` is UNIX time."""
    named = _UNIX_TIME.search(words)
    if named is None:
        return 0
    return int(min(max(0.0, float(named[0]) - now), _LONGEST_PAUSE_SECONDS))
