"""Consent and gate against the brute-force model: any order, lateness, repetition and clock."""

from datetime import datetime, timedelta

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from pipeline.records import ConsentChange, GateRule
from pipeline.stages.consent.decide import consent_due_at
from pipeline.stages.consent.operator import OperatorOrder, take_order
from pipeline.stages.consent.scopes import scopes as consent_scopes
from tests.stages.consent.consent_model import LEAD, Model
from tests.support.conversation import Conversation, mt
from tests.support.rented_numbers import (
    ANN,
    CUSTOM,
    FIRST,
    HANDSET,
    LAST,
    NOON,
    NUMBERS,
    PREMIUM,
    SHARED,
    STRICT,
    directory_from,
)

DIGITS = {
    "ann": ANN,
    "strict": STRICT,
    "premium": PREMIUM,
    "custom": CUSTOM,
    "low": FIRST,
    "high": LAST,
    "shared": SHARED,
}
MODEL_SCOPES = {
    ANN: "ann",
    STRICT: "strict",
    PREMIUM: "premium",
    CUSTOM: "custom",
    f"{FIRST}-{LAST}": "range",
    f"{SHARED}/FUN": "shared/FUN",
    f"{SHARED}/GAME": "shared/GAME",
    "main": "account",
}
#: Sender, its keyword, and what it is to the model.
SENDERS = {
    "ann": [(ANN, None, "ann")],
    "strict": [(STRICT, None, "strict")],
    "premium": [(PREMIUM, None, "premium")],
    "custom": [(CUSTOM, None, "custom")],
    "low": [(FIRST, None, "range")],
    "high": [(LAST, None, "range")],
    "shared": [(SHARED, "fun", "shared/FUN"), (SHARED, "GAME", "shared/GAME")],
}
TEXTS = {
    "shared": ("hello", "STOP", "STOP ALL", "FUN hello", "game FUN", "FUN STOP", "quit GAME"),
    "strict": ("hello", "STOP", "STOP ALL", "START", "HELP"),
}
WORDS = ("hello", "hello", "STOP", "STOP", "QUIT", "STOP ALL", "stop stop", "HELP", "do not stop")
PAIRS = (
    ("ann", "shared"),
    ("ann", "strict"),
    ("ann", "premium"),
    ("custom", "shared"),
    ("low", "high"),
    ("strict", "shared"),
    ("custom", "low"),
)
CONFIRMING = ("confirmation", "custom-reply")
EXAMPLES = 60
#: Flags that put a message in doubt: about when, about which characters, about whose.
DOUBTS = (
    *((),) * 6,
    ("timestamp-implausible",),
    ("unknown-charset", "review"),
    ("not-international",),
)
LATENESS = st.sampled_from((0, 0, 0, 1, 2, 5, 10, 30, 120, 200, 254, 255, 400, 1000))


def minutes_of(time: datetime) -> int:
    """Minutes since noon."""
    return int((time - NOON) / timedelta(minutes=1))


def read_as_of(rows: list[ConsentChange], scope: str, at: int, known: datetime) -> tuple[str, str]:
    """The answer of the as-of query: the latest row of the scope, else of the account."""
    for wanted in (scope, "main"):
        candidates = [
            (row.at, row.recorded_at, row.state, row.gateway_state)
            for row in rows
            if row.scope == wanted and minutes_of(row.at) <= at and row.recorded_at <= known
        ]
        if candidates:
            return max(candidates)[2:]
    return ("open", "open")


class ToldTheSame(RuleBasedStateMachine):
    """The stages and the model get the same events; the stages have this much memory."""

    kept = 1000
    kept_unstopped = 1000
    #: What may happen; what is named more often happens more often.
    steps = (
        *("message_comes",) * 5,
        *("a_deadline_comes_near",) * 2,
        *("ticks_come",) * 2,
        "time_passes",
        "operator_orders",
    )

    def __init__(self) -> None:
        super().__init__()
        self._patch = pytest.MonkeyPatch()
        self._patch.setattr(consent_scopes, "KEPT", self.kept)
        self._patch.setattr(consent_scopes, "KEPT_UNSTOPPED", self.kept_unstopped)
        self.stages = Conversation(directory_from(NUMBERS))
        self.model = Model()
        self.asked = 0
        self.numbers = PAIRS[0]

    def teardown(self) -> None:
        """Set the memory back to its size."""
        self._patch.undo()

    @property
    def minute(self) -> int:
        """The present time."""
        return minutes_of(self.stages.now)

    @rule(data=st.data())
    def something_happens(self, data: st.DataObject) -> None:
        """One of the steps. Separate rules would leave some of them out of each conversation."""
        getattr(self, data.draw(st.sampled_from(self.steps)))(data)

    @initialize(numbers=st.sampled_from(PAIRS))
    def two_numbers(self, numbers: tuple[str, str]) -> None:
        """Few numbers, so that many events are about the same number."""
        self.numbers = numbers

    def message_comes(self, data: st.DataObject) -> None:
        """A message comes, possibly long after it was sent."""
        late = data.draw(LATENESS)
        number = data.draw(st.sampled_from(self.numbers))
        text = data.draw(st.sampled_from(TEXTS.get(number, WORDS)))
        doubt = data.draw(st.sampled_from(DOUBTS))
        self.model.message(text, number, self.minute - late, self.minute, doubt=bool(doubt))
        self.asked += 1
        self.stages.says(
            text, DIGITS[number], late=late, message_id=f"m{self.asked}", flags=list(doubt)
        )

    def operator_orders(self, data: st.DataObject) -> None:
        """An order about a number or the account."""
        verb, of_all = data.draw(st.sampled_from(("stop", "open"))), data.draw(st.booleans())
        number = None if of_all else data.draw(st.sampled_from(self.numbers))
        self.model.order(verb, number, self.minute)
        order = OperatorOrder(
            handset=HANDSET,
            stops=verb == "stop",
            actor="eve",
            reason="a letter",
            number=DIGITS[number] if number else "",
        )
        talk = self.stages
        talk._take(take_order(talk.row, order, directory=talk.directory, now=talk.now))

    def time_passes(self, data: st.DataObject) -> None:
        """Time passes without a tick, as while a worker is down."""
        self.stages.pass_minutes(data.draw(st.sampled_from((1, 3, 20, 100, 400))))

    def a_deadline_comes_near(self, data: st.DataObject) -> None:
        """The clock is at, or beside, the next moment at which something is due."""
        lead, beside = (
            data.draw(st.sampled_from((LEAD, LEAD, 0))),
            data.draw(st.sampled_from((-1, 0, 1))),
        )
        moments = [w.deadline - lead + beside for w in self.model.to_confirm(self.minute)]
        coming = [moment for moment in moments if moment >= self.minute]
        if coming:
            self.stages.pass_minutes(min(coming) - self.minute)

    @invariant()
    def mts_pass_where_the_model_is_open(self) -> None:
        """At the present time, from every sender."""
        for name in self.numbers:
            for sender, keyword, scope in SENDERS[name]:
                is_open = self.model.is_open(scope, self.minute)
                assert self.stages.is_open(sender, keyword=keyword) == is_open, scope


class WithAllMemory(ToldTheSame):
    """Nothing is forgotten: every question has the same answer as the model's."""

    steps = (*ToldTheSame.steps, "request_comes", "request_comes", "a_confirmation_fails")

    def __init__(self) -> None:
        super().__init__()
        self.followed = 0

    def ticks_come(self, data: st.DataObject) -> None:
        """A tick at its minute, and another one some time later."""
        for step in (0, data.draw(st.sampled_from((0, 1, 120, 700)))):
            self.stages.pass_minutes(step)
            due = [stop.number for stop in self.model.tick(self.minute)]
            sent = self.stages.tick_once().commands
            assert [c.sender_id for c in sent] == [DIGITS[number] for number in due]
            if sent:
                event(f"{len(sent)} default texts at a tick")

    def request_comes(self, data: st.DataObject) -> None:
        """The application sends a request or its confirmation."""
        number = data.draw(st.sampled_from(self.numbers))
        confirms = data.draw(st.booleans()) and number != "premium"  # which confirms nothing
        sender, keyword, scope = data.draw(st.sampled_from(SENDERS[number]))
        self.asked += 1
        request = mt(
            sender=sender,
            keyword=keyword,
            request_id=f"r{self.asked}",
            confirms_opt_out=confirms,
        )
        decision = self.stages.asks(request)
        if confirms:
            passes = self.model.confirm(scope, self.minute)
            refused = GateRule.CONFIRMATION_NOT_DUE
        else:
            passes = self.model.is_open(scope, self.minute)
            refused = GateRule.OPTED_OUT
        assert bool(decision.commands) == passes
        assert [r.rule for r in decision.rejections] == ([] if passes else [refused])
        event(f"{'a confirmation' if confirms else 'an MT'} {'passes' if passes else 'is refused'}")

    def a_confirmation_fails(self, data: st.DataObject) -> None:
        """A confirmation fails for good; we hear of it later, and the result comes twice."""
        commands = [c for c in self.stages.commands if c.purpose in CONFIRMING]
        out = list(zip(self.model.sent, commands[-len(self.model.sent) :], strict=False))
        if not out or self.followed:  # the model does not tell follow-ups from confirmations
            return
        sent, command = data.draw(st.sampled_from(out))
        follows = self.model.fail(sent, self.minute)
        followed = self.stages.fails(command).commands
        assert [c.sender_id for c in followed] == ([DIGITS[sent.stop.number]] if follows else [])
        assert not self.stages.fails(command).commands
        self.followed += 1
        event(f"a confirmation failed and {'was followed' if follows else 'nothing followed'}")

    @invariant()
    def as_of_questions_are_answered_right(self) -> None:
        """For every minute and every scope, by everything known now."""
        now = self.stages.now + timedelta(seconds=1)
        said_until = self.minute
        row = self.stages.row
        due = consent_due_at(row) if row else None
        if due is not None and due <= self.stages.now:  # said at the next tick
            said_until = minutes_of(due) - 1
        rows = self.stages.changes
        instants = {minutes_of(row.at) for row in rows} | {fact.at for fact in self.model.facts}
        asked = {instant + step for instant in instants for step in (-1, 0)}
        for scope, name in MODEL_SCOPES.items():
            if name.partition("/")[0] not in {"account", "range", *self.numbers}:
                continue
            for at in asked:
                if at <= said_until:
                    told, true = read_as_of(rows, scope, at, now), self.model.states(name, at)
                    if name == "premium" and told != true:  # the account's row, of its own gateway
                        told = read_as_of(rows, "main", at, now)[:1] + true[1:]
                        assert "open" not in true[:1]
                    assert told == true, (scope, at)

    @invariant()
    def no_stop_is_confirmed_twice(self) -> None:
        """At most one confirmation for each stop message, except after a failure."""
        stops = [c.mo_message_id for c in self.stages.commands if c.purpose in CONFIRMING]
        assert len(stops) - len(set(stops)) <= self.followed

    @invariant()
    def rows_of_a_handset_are_recorded_one_after_another(self) -> None:
        """No two rows have the same `recorded_at`, in milliseconds as the store keeps it."""
        times = [(c.recorded_at - NOON) // timedelta(milliseconds=1) for c in self.stages.changes]
        assert times == sorted(set(times))


class WithLittleMemory(ToldTheSame):
    """Little is remembered: the past is less exact, but whether an MT passes is exact."""

    kept = 2
    kept_unstopped = 1

    def ticks_come(self, data: st.DataObject) -> None:
        """Two ticks; which stop is confirmed may differ, but every stop stays a stop."""
        for step in (0, data.draw(st.sampled_from((0, 1, 120, 700)))):
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
