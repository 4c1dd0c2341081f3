"""One handset's conversation through consent and gate, with all of its outputs."""

from datetime import datetime, timedelta
from typing import Any

from pipeline.directory.directory import Directory
from pipeline.records import (
    ConsentChange,
    MoMessage,
    MtCommand,
    MtRejection,
    MtRequest,
    Outcome,
)
from pipeline.stages.consent.decide import (
    ConsentRules,
    Decision,
    HandsetConsent,
    consent_due_at,
    consent_from_octets,
    fall_due,
    octets_from_consent,
    take_failure,
    take_message,
)
from pipeline.stages.gate.judge import GateRules, judge
from tests.support.rented_numbers import ANN, DIRECTORY, HANDSET, NOON


def mo(text: str = "hello", number: str = ANN, *, at: datetime = NOON, **fields: Any) -> MoMessage:
    """A message of our handset."""
    given = {
        "message_id": f"{text}@{at:%H%M%S}",
        "handset": HANDSET,
        "number": number,
        "text": text,
        "octets": text.encode(),
        "charset": "ISO-8859-1",
        "api_id": "",
        "account": "main",
        "mo_msg_ids": [],
        "part_ids": [],
        "gateway_time": at,
        "received_at": at,
        "parts_total": 1,
        "parts_missing": [],
        "complete": True,
        "lossy": False,
        "flags": [],
        "source": "http",
        "network_id": "",
    }
    return MoMessage(**(given | fields))


def mt(text: str = "news", sender: str | None = ANN, **fields: Any) -> MtRequest:
    """A request to send to our handset."""
    given = {"request_id": "r-1", "to": HANDSET, "text": text, "sender_id": sender}
    return MtRequest(**(given | {"requested_at": NOON} | fields))


class Conversation:
    """The row of one handset, and its outputs. The clock is `now`, in minutes."""

    def __init__(self, directory: Directory = DIRECTORY, **rules: Any) -> None:
        self.directory = directory
        self.rules = ConsentRules(**rules)
        self.now = NOON
        self.octets: bytes | None = None
        self.changes: list[ConsentChange] = []
        self.commands: list[MtCommand] = []
        self.rejections: list[MtRejection] = []

    @property
    def row(self) -> HandsetConsent | None:
        """The row in the form in which it is stored."""
        return consent_from_octets(self.octets) if self.octets else None

    def _take(self, decision: Decision) -> Decision:
        self.octets = octets_from_consent(decision.row) if decision.row else None
        self.changes += decision.changes
        self.commands += decision.commands
        self.rejections += decision.rejections
        return decision

    def pass_minutes(self, minutes: float) -> None:
        """Let time pass without a tick."""
        self.now += timedelta(minutes=minutes)

    def tick(self, minutes: float = 0) -> Decision | None:
        """Let time pass; each deadline falls due at a tick of its minute."""
        end = self.now + timedelta(minutes=minutes)
        decision = None
        while self.now < end or decision is None:
            self.now = min(self.now + timedelta(minutes=1), end)
            decision = self.tick_once()
        return decision

    def tick_once(self) -> Decision:
        """One tick, now."""
        row = self.row
        due = consent_due_at(row) if row else None
        if row is None or due is None or due > self.now:
            return Decision(row=row)
        return self._take(fall_due(row, directory=self.directory, now=self.now, rules=self.rules))

    def says(
        self, text: str = "hello", number: str = ANN, *, late: float = 0, **fields: Any
    ) -> Decision:
        """The handset sends a message, which reaches us `late` minutes later."""
        given = {"received_at": self.now} | fields
        message = mo(text, number, at=self.now - timedelta(minutes=late), **given)
        return self._take(
            take_message(
                self.row, message, directory=self.directory, now=self.now, rules=self.rules
            )
        )

    def asks(self, request: MtRequest, **gate: Any) -> Decision:
        """The application requests an MT."""
        return self._take(
            judge(
                self.row, request, directory=self.directory, now=self.now, rules=GateRules(), **gate
            )
        )

    def fails(
        self, command: MtCommand, outcome: Outcome = Outcome.FAILED, **fields: Any
    ) -> Decision:
        """The gateway reports that a command failed."""
        if outcome is not Outcome.FAILED or not fields.get("final", True):
            return self._take(Decision(row=self.row))
        return self._take(
            take_failure(
                self.row,
                fields.get("command_id", command.command_id),
                directory=self.directory,
                now=self.now,
            )
        )

    def states(self, scope: str = ANN) -> tuple[str, str]:
        """Our state and the gateway's, in the newest row about the scope."""
        rows = [c for c in self.changes if c.scope == scope]
        newest = max(rows, key=lambda c: (c.at, c.recorded_at), default=None)
        return (newest.state, newest.gateway_state) if newest else ("open", "open")

    def is_open(self, sender: str | None = ANN, **fields: Any) -> bool:
        """Whether an MT of this sender would pass."""
        request = mt(sender=sender, **fields)
        decision = judge(
            self.row, request, directory=self.directory, now=self.now, rules=GateRules()
        )
        return bool(decision.commands)
