"""Consent, told again by brute force: every question is answered from all facts, from the start.

Minutes since noon. No compaction, no memory of what was published, one function a question.
"""

from typing import NamedTuple

WINDOW, LEAD, RETRIES = 360, 15, 254
NUMBERS = {"ann": ("ann",), "bob": ("bob",), "shared": ("shared/FUN", "shared/GAME")}
SCOPES = ("ann", "bob", "shared/FUN", "shared/GAME")
STOPS = {"stop", "all"}


class Fact(NamedTuple):
    """Something known: it happened `at`, and came as the `nth`."""

    at: int
    nth: int
    kind: str  # stop, all, open, confirmed
    scopes: tuple[str, ...]
    number: str = ""
    deadline: int = 0
    of: "Fact | None" = None  # the stop that was confirmed


class Standing(NamedTuple):
    """A scope at some minute: its state, the stop behind it and when that is confirmed."""

    state: str
    first: Fact | None
    stop: Fact | None
    deadline: int


class Model:
    """What is known of one handset."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    def message(self, text: str, number: str, at: int, received: int) -> str | None:
        """Note a message; the kind of fact it made."""
        nth = len(self.facts)
        words = text.split()
        deadline = (at if received - at <= RETRIES else received) + WINDOW
        if text in ("STOP ALL", "STOP STOP"):
            fact = Fact(at, nth, "all", (*SCOPES, "account"), number, deadline)
        elif text == "STOP":
            fact = Fact(at, nth, "stop", NUMBERS[number], number, deadline)
        elif "STOP" in words and number == "shared" and len(words) == 2:
            fact = Fact(
                at,
                nth,
                "stop",
                tuple(f"shared/{w}" for w in words if w != "STOP"),
                number,
                deadline,
            )
        elif "STOP" in words:
            return None
        elif number == "shared":
            fact = Fact(
                at, nth, "open", tuple(f"shared/{w}" for w in words if f"shared/{w}" in SCOPES)
            )
        else:
            fact = Fact(at, nth, "open", NUMBERS[number])
        self.facts.append(fact)
        return fact.kind

    def standing(self, scope: str, minute: int) -> Standing:
        """How a scope stood at the end of a minute, by all that is known now."""
        known = sorted(f for f in self.facts if scope in f.scopes and f.at <= minute)
        state, first, stop, deadline = "open", None, None, 0
        for fact in [*known, Fact(minute, 1 << 30, "end", ())]:
            if state == "confirmation-due" and deadline <= fact.at:
                state = "stopped"
            if fact.kind == "open":
                state, first, stop = "open", None, None
            elif fact.kind in STOPS and state == "open":
                state, first, stop, deadline = "confirmation-due", fact, fact, fact.deadline
            elif fact.kind == "all" and state == "confirmation-due":
                stop, deadline = fact, min(deadline, fact.deadline)
            elif fact.of and first and state == "confirmation-due" and fact.of[:2] >= first[:2]:
                state = "stopped"
        return Standing(state, first, stop, deadline)

    def to_confirm(self, minute: int) -> list[tuple[Fact, int, tuple[str, ...]]]:
        """The stops that await a confirmation, until when, and where."""
        waiting: dict[Fact, list[tuple[str, int]]] = {}
        for scope in ("account", *SCOPES):
            standing = self.standing(scope, minute)
            if standing.state == "confirmation-due" and standing.stop is not None:
                waiting.setdefault(standing.stop, []).append((scope, standing.deadline))
        return [
            (stop, min(until for _, until in held), tuple(scope for scope, _ in held))
            for stop, held in sorted(waiting.items(), key=lambda entry: entry[0].nth)
        ]

    def tick(self, minute: int) -> list[Fact]:
        """The stops our default text confirms at this minute."""
        sent = []
        for stop, deadline, scopes in self.to_confirm(minute):
            texted = NUMBERS[stop.number]
            untrue = stop.kind == "all" and not any(scope in scopes for scope in texted)
            if deadline - LEAD <= minute and not untrue:
                self._confirmed(stop, minute)
                sent.append(stop)
        return sent

    def confirm(self, number: str, scope: str, minute: int) -> bool:
        """The application's own confirmation from a number; whether one was due."""
        for stop, deadline, scopes in self.to_confirm(minute):
            if minute < deadline - LEAD and scope in scopes:
                self._confirmed(stop, minute)
                return True
        return False

    def _confirmed(self, stop: Fact, minute: int) -> None:
        self.facts.append(Fact(minute, len(self.facts), "confirmed", stop.scopes, of=stop))
