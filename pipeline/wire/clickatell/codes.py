"""The gateway's codes: why a submission is refused, and how a message stands.

Sources: Clickatell HTTP API 2.2.7 and 2.3.8, appendices A and B; its overview of 2014 for 130, 901
and status 014.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final, NamedTuple


class About(Enum):
    """What an error code speaks of."""

    MESSAGE = auto()  # this message alone
    US = auto()  # whatever we send: login, account, credit, API
    SESSION = auto()  # the session ended: log in again
    PACE = auto()  # we send too much for now


class Refusal(NamedTuple):
    """An error code in the gateway's own words; `is_temporary`: a later attempt may succeed."""

    words: str
    about: About = About.MESSAGE
    is_temporary: bool = False


ERRORS: Final[dict[str, Refusal]] = {
    "001": Refusal("Authentication failed", About.US, True),
    "002": Refusal("Unknown username or password", About.US, True),
    "003": Refusal("Session ID expired", About.SESSION, True),
    "004": Refusal("Account frozen", About.US, True),
    "005": Refusal("Missing session ID", About.SESSION, True),
    "007": Refusal("IP Lockdown violation", About.US, True),
    "100": Refusal("Data malformed"),
    "101": Refusal("Invalid or missing parameters"),
    "102": Refusal("Invalid user data header"),
    "103": Refusal("Unknown API message ID"),
    "104": Refusal("Unknown client message ID"),
    "105": Refusal("Invalid destination address"),
    "106": Refusal("Invalid source address"),
    "107": Refusal("Empty message"),
    "108": Refusal("Invalid or missing API ID", About.US, True),
    "109": Refusal("Missing message ID"),
    "110": Refusal("Error with email message"),
    "111": Refusal("Invalid protocol"),
    "112": Refusal("Invalid message type"),
    "113": Refusal("Maximum message parts exceeded"),
    "114": Refusal("Cannot route message"),
    "115": Refusal("Message expired"),
    "116": Refusal("Invalid Unicode data"),
    "120": Refusal("Invalid delivery time"),
    "121": Refusal("Destination mobile number blocked"),
    "122": Refusal("Destination mobile opted out"),
    "123": Refusal("Invalid Sender ID"),
    "128": Refusal("Number delisted"),
    "130": Refusal("Maximum MT limit exceeded", About.PACE, True),
    "201": Refusal("Invalid batch ID"),
    "202": Refusal("No batch template"),
    "301": Refusal("No credit left", About.US, True),
    "302": Refusal("Max allowed credit"),
    "901": Refusal("Internal error", is_temporary=True),
}
#: Of a question about a message: the gateway knows no such one.
NOT_KNOWN: Final = frozenset({"103", "104"})

_LONGEST_PAUSE_SECONDS: Final = 24 * 3600  # a later time is asked for again
_UNIX_TIME: Final = re.compile(r"(?<!\d)[1-9]\d{9}(?!\d)")


class Standing(Enum):
    """What a status says of a message."""

    NOTHING = auto()
    ON_ITS_WAY = auto()
    DELIVERED = auto()
    UNDELIVERED = auto()


class Status(NamedTuple):
    """A status in the gateway's own words."""

    words: str
    standing: Standing


STATUSES: Final[dict[str, Status]] = {
    "001": Status("Message unknown", Standing.NOTHING),
    "002": Status("Message queued", Standing.ON_ITS_WAY),
    "003": Status("Delivered to gateway", Standing.ON_ITS_WAY),
    "004": Status("Received by recipient", Standing.DELIVERED),
    "005": Status("Error with message", Standing.UNDELIVERED),
    "006": Status("User cancelled message delivery", Standing.UNDELIVERED),
    "007": Status("Error delivering message", Standing.UNDELIVERED),
    # Kannel takes 008 for delivered; the document says that the gateway has it.
    "008": Status("OK (received by gateway)", Standing.ON_ITS_WAY),
    "009": Status("Routing error", Standing.UNDELIVERED),
    "010": Status("Message expired", Standing.UNDELIVERED),
    "011": Status("Message queued for later delivery", Standing.ON_ITS_WAY),
    "012": Status("Out of credit", Standing.UNDELIVERED),
    "014": Status("Maximum MT limit exceeded", Standing.UNDELIVERED),
}


def refusal_of(code: str) -> Refusal:
    """What a code means; one that no document has is of the message, and final."""
    return ERRORS.get(code) or Refusal("an error code that is not known")


def status_of(status: str) -> Status:
    """What a status means; one that no document has says nothing."""
    return STATUSES.get(status) or Status("a status that is not known", Standing.NOTHING)


def pause_seconds(words: str, *, now: float) -> int:
    """Seconds until the UNIX time that the words of 130 name; 0 without one. `now` is UNIX time."""
    named = _UNIX_TIME.search(words)
    if named is None:
        return 0
    return int(min(max(0.0, float(named[0]) - now), _LONGEST_PAUSE_SECONDS))
