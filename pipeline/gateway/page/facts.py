"""The facts of an event in words for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.gateway.world import EventKind
from pipeline.wire.clickatell.codes import ERROR_CODES

if TYPE_CHECKING:
    from pipeline.gateway.world import WorldEvent

WAITS: Final = "waits"
GOOD: Final = "good"
BAD: Final = "bad"

#: The statuses of HTTP API 2.2.7, appendix B, in words that are short enough for a bubble.
STATUSES: Final = {
    "001": ("unknown message", BAD),
    "002": ("queued", WAITS),
    "003": ("at the network", WAITS),
    "004": ("delivered", GOOD),
    "005": ("error with message", BAD),
    "006": ("cancelled", BAD),
    "007": ("not delivered", BAD),
    "008": ("accepted", WAITS),
    "009": ("no route", BAD),
    "010": ("expired", BAD),
    "011": ("queued for later", WAITS),
    "012": ("out of credit", BAD),
    "014": ("limit exceeded", BAD),
}


class State(NamedTuple):
    """The state of a message: words, and one of `waits`, `good` and `bad`."""

    words: str
    tone: str


def number_of(event: WorldEvent) -> str:
    """The sender ID of an MT, or the number that an MO was sent to."""
    return str(event.facts.get("number") or event.sender_id)


def parts_of(event: WorldEvent) -> str:
    """The count of parts and the encoding: `3 parts · UTF-16BE`; without the count for one part."""
    parts = event.facts.get("parts", 1)
    count = len(parts) if isinstance(parts, list) else int(parts or 1)
    encoding = str(event.facts.get("encoding") or event.facts.get("charset") or "")
    words = [f"{count} parts"] if count > 1 else []
    return " · ".join([*words, *([encoding] if encoding else [])])


def state_of(event: WorldEvent) -> State:
    """The state of the message after this event."""
    match event.kind:
        case EventKind.SUBMITTED:
            return State("accepted", WAITS)
        case EventKind.SHOWN:
            return State("on the screen", GOOD)
        case EventKind.STATUS:
            code = str(event.facts.get("status", "")).zfill(3)
            words, tone = STATUSES.get(code, ("status", WAITS))
            return State(f"{words} · {code}", tone)
        case EventKind.REFUSED:
            return State(refusal_of(event), BAD)
        case EventKind.HANDED_OVER:
            return _handed_over(event)
        case _:
            return State("on its way", WAITS)


def refusal_of(event: WorldEvent) -> str:
    """The refusal in words: `refused · 114 Cannot route message`."""
    code = str(event.facts.get("code", "")).zfill(3)
    known = ERROR_CODES.get(code)
    words = str(event.facts.get("words") or (known.words if known else "no reason given"))
    return f"refused · {code} {words}" if code.strip("0") else f"refused · {words}"


def _handed_over(event: WorldEvent) -> State:
    by = event.way.upper() or "a callback"
    attempt = int(event.facts.get("attempt", 1))
    again = f", attempt {attempt}" if attempt > 1 else ""
    if is_taken(event):
        return State(f"taken by {by}{again}", GOOD)
    return State(f"not taken: {event.facts.get('answer') or 'no answer'} by {by}{again}", BAD)


def is_taken(event: WorldEvent) -> bool:
    """Whether the product answered 200."""
    return str(event.facts.get("answer", "")) == "200"


def ids_of(event: WorldEvent) -> list[str]:
    """The gateway's id of each part of an MO."""
    ids = event.facts.get("ids")
    return [str(one) for one in ids] if isinstance(ids, list) else [event.message_id]


def line_of(event: WorldEvent) -> str:
    """One line about a fault or a change of consent."""
    facts = event.facts
    if event.kind is EventKind.CONSENT:
        states = facts.get("states") or {}
        believed = [
            f"{str(state).replace('-', ' ')} for {'all numbers' if number == '*' else number}"
            for number, state in states.items()
        ]
        why = f" ({facts['why']})" if facts.get("why") else ""
        return f"The gateway believes: {', '.join(believed) or 'all open'}{why}"
    return f"Fault played: {fault_of(event).replace('-', ' ')}"


def fault_of(event: WorldEvent) -> str:
    """The name of the fault that was played."""
    return str(event.facts.get("fault") or event.facts.get("name") or event.text or "unnamed")
