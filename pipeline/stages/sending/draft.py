"""One decision about the commands of a handset: the outbox goes in, states and rows come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.identity import derived_id
from pipeline.records import CommandState, MtRejection, MtState, SeenBy
from pipeline.stages.sending.last_look import (
    CONFIRMING,
    refuse_as_too_many,
    refuse_before_sending,
)
from pipeline.stages.sending.row import (
    OPEN_AT_MOST,
    OPEN_AT_MOST_CONFIRMING,
    OpenCommand,
    Outbox,
    SentCommand,
    sent_from_open,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.stages.consent.row import HandsetConsent


class Sending(NamedTuple):
    """The result of a decision. Consent must also react to `failed` and `blocked`."""

    outbox: Outbox
    states: list[MtState]
    rejections: list[MtRejection]
    sent: list[SentCommand]  # rows to keep from now on
    failed: list[OpenCommand]  # failed for good
    blocked: list[OpenCommand]  # those of `failed` whose handset the gateway blocks


class SendingDraft:
    """The outbox of one handset during one decision. `cause` names what led to the decision."""

    def __init__(
        self,
        outbox: Outbox | None,
        consent: HandsetConsent | None,
        *,
        now: datetime,
        cause: str,
    ) -> None:
        self.commands = list(outbox.commands) if outbox else []
        self.consent = consent
        self.now = now
        self._cause = cause
        self._states: list[MtState] = []
        self._rejections: list[MtRejection] = []
        self.sent: dict[str, SentCommand] = {}  # rows to keep, by command_id
        self._failed: list[OpenCommand] = []
        self._blocked: list[OpenCommand] = []

    def add(self, command: OpenCommand) -> None:
        """Enter a command that was just decided; if too many are open, it is refused."""
        if self.find(command.command_id) is not None:
            return
        most = OPEN_AT_MOST_CONFIRMING if command.purpose in CONFIRMING else OPEN_AT_MOST
        if len(self.commands) < most:
            self.commands.append(command)
        else:
            self.refuse(command, refuse_as_too_many(command, now=self.now), SeenBy.GATE)

    def find(self, command_id: str) -> OpenCommand | None:
        """The open command with this id."""
        return next((c for c in self.commands if c.command_id == command_id), None)

    def keep(self, command: OpenCommand, source: SeenBy, *, ask_gateway: bool = False) -> None:
        """Keep an open command in this form, and publish its state."""
        self.commands = [
            command if held.command_id == command.command_id else held for held in self.commands
        ]
        self.say_state(command, source, ask_gateway=ask_gateway)

    def wait_again(self, command: OpenCommand, source: SeenBy) -> None:
        """Let a command that was not sent wait, or refuse it if it may no longer be sent.

        Its permit, and the questions about it, are over.
        """
        command = msgspec.structs.replace(
            command,
            state=CommandState.WAITING.value,
            holder="",
            until=None,
            ask_at=None,
            asked=0,
        )
        rejection = refuse_before_sending(self.consent, command, now=self.now)
        if rejection is None:
            self.keep(command, source)
        else:
            self.refuse(command, rejection, source)

    def say_state(
        self,
        command: OpenCommand,
        source: SeenBy,
        *,
        ask_gateway: bool = False,
        behind: str = "",
        words: str = "",
    ) -> None:
        """Publish the state of an open command again, without changing it."""
        self._publish(
            command,
            source,
            permit=command if command.state == CommandState.PERMITTED else None,
            retry_at=command.retry_at,
            behind=behind,
            words=words or command.words,
            ask_gateway=ask_gateway,
        )

    def take_out(
        self,
        command: OpenCommand,
        state: CommandState,
        source: SeenBy,
        *,
        code: str = "",
        words: str = "",
        ids: list[str] | None = None,
    ) -> None:
        """Take a command out of the outbox, into a row of its own, and publish its state."""
        sent = sent_from_open(command, state, ids=command.ids if ids is None else ids)
        self.keep_sent(msgspec.structs.replace(sent, code=code, words=words), source)

    def keep_sent(self, sent: SentCommand, source: SeenBy) -> None:
        """Keep the row of a command that is no longer open, and publish its state."""
        self.commands = [held for held in self.commands if held.command_id != sent.command_id]
        self.sent[sent.command_id] = sent
        self.repeat_sent(sent, source)

    def repeat_sent(self, sent: SentCommand, source: SeenBy) -> None:
        """Publish the state of a sent command again, without changing it."""
        self._publish(
            sent, source, words=sent.words, charge=sent.charge, charge_units=sent.charge_units
        )

    def refuse(self, command: OpenCommand, rejection: MtRejection, source: SeenBy) -> None:
        """Take a command out of the outbox because of a rule of the gate."""
        self._rejections.append(rejection)
        self.take_out(
            command,
            CommandState.REFUSED,
            source,
            code=rejection.rule,
            words=rejection.detail,
        )

    def fail(
        self, command: OpenCommand, source: SeenBy, *, code: str, words: str, is_blocked: bool
    ) -> None:
        """Record that a command failed for good."""
        self.take_out(command, CommandState.FAILED, source, code=code, words=words)
        self._failed.append(command)
        if is_blocked:
            self._blocked.append(command)

    def not_known(self, command_id: str, handset: str) -> None:
        """Answer an ask for a command that the outbox does not have: nothing may be sent."""
        words = "not known: older than this release, forgotten, or of another installation"
        unknown = SentCommand(
            command_id=command_id,
            request_id="",
            handset=handset,
            sender_id="",
            state=CommandState.REFUSED.value,
            attempt=0,
            words=words,
        )
        self.repeat_sent(unknown, SeenBy.ASK)

    def decide(self) -> Sending:
        """The result of the decision."""
        return Sending(
            Outbox(self.commands),
            self._states,
            self._rejections,
            list(self.sent.values()),
            self._failed,
            self._blocked,
        )

    def _publish(
        self,
        row: OpenCommand | SentCommand,
        source: SeenBy,
        *,
        words: str,
        permit: OpenCommand | None = None,
        retry_at: datetime | None = None,
        behind: str = "",
        charge: str = "",
        charge_units: int = 0,
        ask_gateway: bool = False,
    ) -> None:
        place = str(len(self._states))
        self._states.append(
            MtState(
                state_id=derived_id("mt-state", row.command_id, row.state, self._cause, place),
                command_id=row.command_id,
                request_id=row.request_id,
                handset=row.handset,
                state=row.state,
                attempt=row.attempt,
                parts=parts_to_send(permit) if permit else [],
                holder=permit.holder if permit else "",
                until=permit.until if permit else None,
                retry_at=retry_at,
                behind=behind,
                gateway_message_ids=row.ids,
                code=row.code,
                words=words,
                charge=charge,
                charge_units=charge_units,
                source=source.value,
                ask_gateway=ask_gateway,
                consent_asked_at=row.consent_asked_at,
                at=self.now,
            )
        )


def parts_to_send(command: OpenCommand) -> list[int]:
    """The parts that the gateway has not taken, from 1; empty if it has taken none so far."""
    if not any(command.ids):
        return []
    return [number for number, given in enumerate(command.ids, start=1) if not given]
