"""Consent as a brute-force model: every question is answered from all facts, from the start.

Times are minutes since noon. The model does not compact, does not remember what was published, and
has one function for each question.
"""

from typing import NamedTuple

WINDOW, LEAD, RETRIES = 360, 15, 254
#: What each number is to consent: itself, its range, or the keywords of a shared code.
NUMBERS = {
    "ann": ("ann",),
    "strict": ("strict",),
    "premium": ("premium",),
    "custom": ("custom",),
    "low": ("range",),
    "high": ("range",),
    "shared": ("shared/FUN", "shared/GAME"),
}
SCOPES = tuple(dict.fromkeys(scope for scopes in NUMBERS.values() for scope in scopes))
EVERYTHING = (*SCOPES, "account")
SIDES = ("ours", "gateway")
STOP_WORDS = ("STOP", "QUIT")
REPLIES = {("custom", "STOP"): "us", ("custom", "QUIT"): "gateway"}


class Fact(NamedTuple):
    """A fact: it happened `at`, and came as the `nth`."""

    at: int
    nth: int
    ours: str  # what it does to each side: stop, stop at once, open, confirm, nothing
    gateway: str
    scopes: tuple[str, ...]
    is_all: bool = False
    number: str = ""
    deadline: int = 0
    of: "Fact | None" = None  # the stop that was confirmed


class Standing(NamedTuple):
    """One side of a scope at some minute: its state, the cause, and when it is confirmed."""

    state: str
    stop: Fact | None
    behind: tuple[Fact, ...]
    deadline: int


class Waiting(NamedTuple):
    """A stop that waits for its confirmation, until when, and where."""

    stop: Fact
    deadline: int
    scopes: tuple[str, ...]


class Sent(NamedTuple):
    """A confirmation of ours that was sent."""

    stop: Fact
    deadline: int
    is_default: bool


class Model:
    """Everything known about one handset."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.sent: list[Sent] = []

    def _note(self, at: int, effects: tuple[str, str], scopes: tuple[str, ...], **more: object):
        fact = Fact(at, len(self.facts), *effects, scopes, **more)  # type: ignore[arg-type]
        self.facts.append(fact)
        return fact

    def message(
        self, text: str, number: str, at: int, received: int, *, doubt: bool = False
    ) -> None:
        """A message, by its words; a message in doubt stops like any other, and opens nothing."""
        words = text.upper().split()
        keywords = tuple(f"shared/{word}" for word in words if f"shared/{word}" in SCOPES)
        if any(word in STOP_WORDS for word in words):
            self._stop(words, keywords, number, at, received)
        elif doubt:
            return
        elif number == "shared":
            if keywords:
                self._note(at, ("open", "open"), keywords)
        else:
            says_start = words == ["START"]
            opens_ours = says_start if number == "strict" else words != ["HELP"]
            self._note(at, ("open" if opens_ours else "nothing", "open"), NUMBERS[number])

    def _stop(
        self, words: list[str], keywords: tuple[str, ...], number: str, at: int, received: int
    ) -> None:
        if words in (["STOP", "ALL"], ["STOP", "STOP"]):
            scopes = EVERYTHING
        elif len(words) == 1:
            scopes = NUMBERS[number]
        elif len(words) == 2 and number == "shared" and keywords:
            scopes = keywords
        else:
            return  # it holds a stop word, and is no stop
        premium = number == "premium"
        stop = self._note(
            at,
            ("stop at once", "nothing") if premium else ("stop", "stop"),
            scopes,
            is_all=scopes == EVERYTHING,
            number=number,
            deadline=(at if received - at <= RETRIES else received) + WINDOW,
        )
        sent_by = REPLIES.get((number, " ".join(words)))
        waiting = next((w for w in self.to_confirm(received) if w.stop == stop), None)
        if sent_by == "us" and waiting:
            self._confirm(waiting, received, is_default=False)
        elif sent_by == "gateway" and (waiting or self._gateway_awaits(stop, received)):
            self._note(at, ("confirm", "confirm"), scopes, of=stop)

    def _gateway_awaits(self, stop: Fact, minute: int) -> bool:
        """Whether the gateway has this stop as due, though ours may still have an earlier one."""
        sides = [self.standing(scope, "gateway", minute) for scope in EVERYTHING]
        return any(side.state == "confirmation-due" and side.stop == stop for side in sides)

    def order(self, verb: str, number: str | None, minute: int) -> None:
        """An operator's order about a number or the account."""
        effect = "open" if verb == "open" else "stop at once"
        self._note(minute, (effect, "nothing"), NUMBERS[number] if number else EVERYTHING)

    def standing(self, scope: str, side: str, minute: int) -> Standing:
        """The state of one side of a scope at the end of a minute, by everything known now."""
        if (scope, side) == ("premium", "gateway"):
            return Standing("open", None, (), 0)
        state, deadline, stop, behind = "open", 0, None, ()
        for fact in sorted(f for f in self.facts if scope in f.scopes and f.at <= minute):
            if state == "confirmation-due" and deadline <= fact.at:
                state = "stopped"
            effect = getattr(fact, side)
            if effect == "open":
                state, stop, behind = "open", None, ()
            elif effect in ("stop", "stop at once") and state == "open":
                state = "confirmation-due" if effect == "stop" else "stopped"
                deadline, stop, behind = fact.deadline, fact, (fact,)
            elif effect == "stop" and fact.is_all and state == "confirmation-due":
                deadline, stop, behind = min(deadline, fact.deadline), fact, (*behind, fact)
            elif effect == "confirm" and state == "confirmation-due" and fact.of:
                is_older = fact.of[:2] < behind[0][:2]  # of a stop that was re-enabled since
                if not is_older:
                    state, behind = "stopped", (*behind, fact.of)
        if state == "confirmation-due" and deadline <= minute:
            state = "stopped"
        return Standing(state, stop, behind, deadline)

    def states(self, scope: str, minute: int) -> tuple[str, str]:
        """Both sides of a scope."""
        ours, gateway = (self.standing(scope, side, minute).state for side in SIDES)
        return ours, gateway

    def is_open(self, scope: str, minute: int) -> bool:
        """Whether an MT passes: both sides are open."""
        return self.states(scope, minute) == ("open", "open")

    def to_confirm(self, minute: int) -> list[Waiting]:
        """The stops that wait for a confirmation: ours, else the gateway's."""
        found: dict[Fact, list[tuple[str, int]]] = {}
        for scope in EVERYTHING:
            sides = [self.standing(scope, side, minute) for side in SIDES]
            due = [side for side in sides if side.state == "confirmation-due"]
            if due and due[0].stop:
                deadline = min(side.deadline for side in due)
                found.setdefault(due[0].stop, []).append((scope, deadline))
        return [
            Waiting(stop, min(until for _, until in held), tuple(scope for scope, _ in held))
            for stop, held in sorted(found.items(), key=lambda entry: entry[0].nth)
        ]

    def tick(self, minute: int) -> list[Fact]:
        """The stops that our default text confirms at this minute."""
        due = [w for w in self.to_confirm(minute) if w.deadline - LEAD <= minute]
        sent = []
        for waiting in due:
            texted = NUMBERS[waiting.stop.number]
            if waiting.stop.is_all and not any(scope in waiting.scopes for scope in texted):
                continue  # re-enabled there: the text would be untrue
            self._confirm(waiting, minute, is_default=True)
            sent.append(waiting.stop)
        return sent

    def confirm(self, scope: str, minute: int) -> bool:
        """The application's own confirmation from a sender; returns whether one was due."""
        for waiting in self.to_confirm(minute):
            if minute < waiting.deadline - LEAD and scope in waiting.scopes:
                self._confirm(waiting, minute, is_default=False)
                return True
        return False

    def fail(self, sent: Sent, minute: int) -> bool:
        """A confirmation failed for good; returns whether the default text follows."""
        self.sent.remove(sent)
        holds = any(
            standing.state != "open" and sent.stop in standing.behind
            for standing in (self.standing(scope, "ours", minute) for scope in EVERYTHING)
        )
        return not sent.is_default and minute < sent.deadline and holds

    def _confirm(self, waiting: Waiting, minute: int, *, is_default: bool) -> None:
        stop = waiting.stop
        self._note(minute, ("confirm", "confirm"), stop.scopes, of=stop)
        self.sent.append(Sent(stop, waiting.deadline, is_default))
