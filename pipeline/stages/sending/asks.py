"""Answers a sender that asks for one attempt of a command: permitted, waiting, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pipeline.records import AskKind, CommandState, MtAsk, Purpose, SeenBy
from pipeline.stages.sending.last_look import refuse_before_sending

if TYPE_CHECKING:
    from pipeline.stages.sending.draft import SendingDraft
    from pipeline.stages.sending.row import OpenCommand, SentCommand
    from pipeline.stages.sending.rules import SendingRules


def take_ask(
    draft: SendingDraft, ask: MtAsk, sent: SentCommand | None, rules: SendingRules
) -> None:
    """Answer an ask, or take back a permit that was not used.

    The same ask has the same permit. A new attempt needs a result or a withdrawal of the attempt
    before: an ask that is lost or doubled makes no second call to the gateway.
    """
    command = draft.find(ask.command_id)
    if command is None:
        if sent is not None:
            draft.repeat_sent(sent, SeenBy.ASK)
        else:
            draft.not_known(ask.command_id, ask.handset)
    elif ask.kind == AskKind.WITHDRAW:
        _take_back(draft, command, ask)
    elif command.state != CommandState.WAITING:
        draft.say_state(command, SeenBy.ASK)
    else:
        _judge(draft, command, ask, rules)


def _take_back(draft: SendingDraft, command: OpenCommand, ask: MtAsk) -> None:
    """The holder never uses this permit, so the command waits again.

    The permit may have lapsed meanwhile: a sender that writes a result withdraws no permit.
    """
    if (
        command.state in (CommandState.PERMITTED, CommandState.UNKNOWN)
        and command.holder == ask.holder
        and command.attempt == ask.attempt
    ):
        draft.wait_again(msgspec.structs.replace(command, words=""), SeenBy.ASK)


def _judge(draft: SendingDraft, command: OpenCommand, ask: MtAsk, rules: SendingRules) -> None:
    if ask.attempt != command.attempt + 1:
        draft.say_state(command, SeenBy.ASK, words="another attempt is the next")
        return
    older = older_one(draft.commands, command)
    if older is not None:
        words = "an older command of this handset and sender goes first"
        draft.say_state(command, SeenBy.ASK, behind=older.command_id, words=words)
        return
    if command.retry_at is not None and draft.now < command.retry_at:
        draft.say_state(command, SeenBy.ASK)
        return
    rejection = refuse_before_sending(draft.consent, command, now=draft.now)
    if rejection is not None:
        draft.refuse(command, rejection, SeenBy.ASK)
        return
    permitted = msgspec.structs.replace(
        command,
        state=CommandState.PERMITTED.value,
        attempt=ask.attempt,
        holder=ask.holder,
        until=min(draft.now + rules.permit, command.not_after),
        retry_at=None,
        consent_asked_at=draft.now,
        code="",
        words="",
    )
    draft.keep(permitted, SeenBy.ASK)


def older_one(commands: list[OpenCommand], command: OpenCommand) -> OpenCommand | None:
    """The older command of the same sender ID that goes first.

    A command that follows a stop waits for no reply, and none waits for an unknown command.
    """
    goes_before_replies = command.purpose != Purpose.REPLY
    for held in commands:
        if held.command_id == command.command_id:
            return None
        if (
            held.sender_id == command.sender_id
            and held.state != CommandState.UNKNOWN
            and not (goes_before_replies and held.purpose == Purpose.REPLY)
        ):
            return held
    return None
