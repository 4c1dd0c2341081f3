"""Consent and gate against the brute-force model: any order, lateness, repetition and clock."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pipeline.records import ConsentChange, GateRule
from pipeline.stages import consent_scopes
from pipeline.stages.consent import due_at
from tests.conversation import (
    ANN,
    BOB,
    NOON,
    NUMBERS,
    SHARED,
    Conversation,
    directory_from,
    mt,
)
from tests.stages.consent_model import Model

DIGITS = {"ann": ANN, "bob": BOB, "shared": SHARED}
MODEL_SCOPES = {
    ANN: "ann",
    BOB: "bob",
    f"{SHARED}/FUN": "shared/FUN",
    f"{SHARED}/GAME": "shared/GAME",
    "main": "account",
}
TEXTS = ("hello", "STOP", "STOP ALL", "STOP STOP", "FUN hello", "game FUN", "FUN STOP", "STOP GAME")
EXAMPLES = 100
LATENESS = st.sampled_from((0, 0, 0, 1, 2, 5, 10, 30, 120, 200, 254, 255, 400, 1000))
TEXTED = st.sampled_from(("ann", "ann", "bob", "shared"))


def minutes_of(time: datetime) -> int:
    """Minutes since noon."""
    return int((time - NOON) / timedelta(minutes=1))


def read_as_of(rows: list[ConsentChange], scope: str, at: int, known: datetime) -> str:
    """What README's as-of query gives: the latest row of the scope, else of the account."""
    for wanted in (scope, "main"):
        candidates = [
            (row.at, row.recorded_at, row.state)
            for row in rows
            if row.scope == wanted and minutes_of(row.at) <= at and row.recorded_at <= known
        ]
        if candidates:
            return max(candidates)[2]
    return "open"


class ToldTheSame(RuleBasedStateMachine):
    """The stages and the model told the same things, the stages with so much memory."""

    kept = 1000
    kept_unstopped = 1000

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(consent_scopes, "KEPT", self.kept)
        self._patch.setattr(consent_scopes, "KEPT_UNSTOPPED", self.kept_unstopped)
        self.stages = Conversation(directory_from(NUMBERS))
        self.model = Model()
        self.asked = 0

    def teardown(self) -> None:
        """Give the memory back its size."""
        self._patch.undo()

    @property
    def minute(self) -> int:
        """The time it is."""
        return minutes_of(self.stages.now)

    @rule(text=st.sampled_from(TEXTS), number=TEXTED, late=LATENESS)
    def message_comes(self, text: str, number: str, late: int) -> None:
        """A message, possibly long after it was sent."""
        self.model.message(text.upper(), number, self.minute - late, self.minute)
        name = f"m{len(self.model.facts)}-{self.asked}"
        self.asked += 1
        self.stages.says(text, DIGITS[number], late=late, message_id=name)

    @rule(minutes=st.sampled_from((0, 1, 3, 20, 100, 340, 345, 350, 360, 400)))
    def time_passes(self, minutes: int) -> None:
        """Time, without a tick: a worker that is down."""
        self.stages.pass_minutes(minutes)

    @invariant()
    def mts_pass_where_the_model_is_open(self) -> None:
        """Now, from every sender."""
        for sender, keyword in ((ANN, None), (BOB, None), (SHARED, "fun"), (SHARED, "GAME")):
            scope = f"{sender}/{keyword.upper()}" if keyword else sender
            is_open = self.model.standing(MODEL_SCOPES[scope], self.minute).state == "open"
            assert self.stages.is_open(sender, keyword=keyword) == is_open, scope


class WithAllMemory(ToldTheSame):
    """Nothing is forgotten: every question is answered as the model does."""

    @rule(minutes=st.sampled_from((0, 1, 10, 120, 345, 360, 700)))
    def ticks_come(self, minutes: int) -> None:
        """A tick at its minute, and another some time later."""
        for step in (0, minutes):
            self.stages.pass_minutes(step)
            due = [stop.number for stop in self.model.tick(self.minute)]
            sent = self.stages.tick_once().commands
            assert [c.sender_id for c in sent] == [DIGITS[number] for number in due]

    @rule(sender=st.sampled_from((ANN, BOB)), confirms=st.booleans())
    def request_comes(self, sender: str, confirms: bool) -> None:
        """An application's request, or its confirmation."""
        self.asked += 1
        request = mt(sender=sender, request_id=f"r{self.asked}", confirms_opt_out=confirms)
        decision = self.stages.asks(request)
        scope = MODEL_SCOPES[sender]
        if confirms:
            passes = self.model.confirm(sender, scope, self.minute)
            refused = GateRule.CONFIRMATION_NOT_DUE
        else:
            passes = self.model.standing(scope, self.minute).state == "open"
            refused = GateRule.OPTED_OUT
        assert bool(decision.commands) == passes
        assert [r.rule for r in decision.rejections] == ([] if passes else [refused])

    @invariant()
    def as_of_questions_are_answered_right(self) -> None:
        """At every minute, for every scope, by what is known now."""
        now = self.stages.now + timedelta(seconds=1)
        said_until = self.minute
        row = self.stages.row
        due = due_at(row) if row else None
        if due is not None and due <= self.stages.now:  # said at the next tick
            said_until = minutes_of(due) - 1
        rows = self.stages.changes
        instants = {minutes_of(row.at) for row in rows} | {fact.at for fact in self.model.facts}
        for at in sorted({instant + step for instant in instants for step in (-1, 0)}):
            for scope, name in MODEL_SCOPES.items() if at <= said_until else ():
                told = read_as_of(rows, scope, at, now)
                assert told == self.model.standing(name, at).state, (scope, at)

    @invariant()
    def no_stop_is_confirmed_twice(self) -> None:
        """One confirmation for each stop message at most."""
        stops = [c.mo_message_id for c in self.stages.commands if c.purpose == "confirmation"]
        assert len(stops) == len(set(stops))

    @invariant()
    def rows_of_a_handset_are_recorded_one_after_another(self) -> None:
        """No two rows are known since the same moment, in milliseconds, as the store has it."""
        times = [(c.recorded_at - NOON) // timedelta(milliseconds=1) for c in self.stages.changes]
        assert times == sorted(set(times))


class WithLittleMemory(ToldTheSame):
    """Little is remembered: the past is told less finely, whether an MT passes is not."""

    kept = 2
    kept_unstopped = 1

    @rule(minutes=st.sampled_from((0, 1, 10, 120, 345, 360, 700)))
    def ticks_come(self, minutes: int) -> None:
        """Two ticks; which stop is confirmed may differ, that they stay stops may not."""
        for step in (0, minutes):
            self.stages.pass_minutes(step)
            self.model.tick(self.minute)
            self.stages.tick_once()


SETTINGS = settings(
    derandomize=True,  # the same conversations at every run; raise EXAMPLES and drop this to search
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
)
TestWithAllMemory = WithAllMemory.TestCase
TestWithAllMemory.settings = SETTINGS
TestWithLittleMemory = WithLittleMemory.TestCase
TestWithLittleMemory.settings = SETTINGS
