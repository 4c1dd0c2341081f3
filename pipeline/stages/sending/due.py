"""The effects of time: commands expire, permits lapse, and unknown commands are asked about."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import CommandState, SeenBy
from pipeline.stages.sending.last_look import refuse_before_sending
from pipeline.stages.sending.results import become_unknown

if TYPE_CHECKING:
    from pipeline.records import MtRejection
    from pipeline.stages.consent.row import HandsetConsent
    from pipeline.stages.sending.draft import SendingDraft
    from pipeline.stages.sending.row import OpenCommand, Outbox
    from pipeline.stages.sending.rules import SendingRules

_WAITING: Final = CommandState.WAITING.value  # a member is slow to look up
_PERMITTED: Final = CommandState.PERMITTED.value
_UNKNOWN: Final = CommandState.UNKNOWN.value
_AFTER: Final = timedelta(milliseconds=1)  # a command may leave until its not_after


def due_at(outbox: Outbox, rules: SendingRules) -> datetime | None:
    """When `commands_fall_due` has something to do; None if no command is open."""
    times = [_due_of(command, rules) for command in outbox.commands]
    return min(times) if times else None


def _due_of(command: OpenCommand, rules: SendingRules) -> datetime:
    if command.state == _PERMITTED and command.until is not None:
        return command.until + rules.lapse
    if command.state == _UNKNOWN and command.ask_at is not None:
        return command.ask_at
    return command.not_after + _AFTER


def commands_fall_due(draft: SendingDraft, rules: SendingRules) -> None:
    """For every open command, do what is due."""
    for command in list(draft.commands):
        if _due_of(command, rules) > draft.now:
            continue
        if command.state == _PERMITTED:
            words = "the permit ended, and no result came"
            become_unknown(draft, command, SeenBy.LAPSE, rules, words=words)
        elif command.state == _UNKNOWN:
            _ask_gateway(draft, command, rules)
        else:
            rejection = refuse_before_sending(draft.consent, command, now=draft.now)
            if rejection is not None:
                draft.refuse(command, rejection, SeenBy.LAPSE)


def _ask_gateway(draft: SendingDraft, command: OpenCommand, rules: SendingRules) -> None:
    """Have the gateway asked once more, or leave the command to an operator."""
    asked = command.asked + 1
    if command.asked >= len(rules.queries):
        words = f"{command.words}; the gateway was asked and did not say"
        draft.take_out(command, CommandState.UNKNOWN, SeenBy.LAPSE, code=command.code, words=words)
        return
    if asked < len(rules.queries):
        wait = rules.queries[asked] - rules.queries[asked - 1]
    else:
        wait = rules.last_answer
    next_time = msgspec.structs.replace(command, asked=asked, ask_at=draft.now + wait)
    draft.keep(next_time, SeenBy.LAPSE, ask_gateway=True)


def stopped_commands(
    outbox: Outbox, consent: HandsetConsent | None, now: datetime
) -> list[tuple[OpenCommand, MtRejection]]:
    """Consent has changed: the waiting commands that may no longer be sent, and why."""
    stopped = []
    for command in outbox.commands:
        if command.state == _WAITING:
            rejection = refuse_before_sending(consent, command, now=now)
            if rejection is not None:
                stopped.append((command, rejection))
    return stopped
