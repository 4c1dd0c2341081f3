"""Results: from a sender, from the gateway's answer to a query, and from an operator."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.identity import derived_id
from pipeline.records import CommandState, MtResult, Outcome, SeenBy
from pipeline.stages.sending.codes import GATEWAY_BLOCKS, RANK

if TYPE_CHECKING:
    from pipeline.stages.sending.draft import SendingDraft
    from pipeline.stages.sending.row import OpenCommand, SentCommand
    from pipeline.stages.sending.rules import SendingRules

_TAKEN: Final = (Outcome.SUBMITTED, Outcome.DELIVERED, Outcome.UNDELIVERED)
_MOST_SECONDS: Final = 86_400  # that a gateway may ask us to wait
_MOST_IDS: Final = 255  # as many as a message has parts (3GPP TS 23.040 9.2.3.24.1)


def take_result(
    draft: SendingDraft, result: MtResult, sent: SentCommand | None, rules: SendingRules
) -> None:
    """Enter a result; a result of a command that is not here changes nothing."""
    command = draft.find(result.command_id)
    source = _source_of(result)
    if command is None:
        if sent is not None:
            _correct(draft, sent, result, source)
        return
    if result.outcome in _TAKEN:
        draft.take_out(
            command,
            CommandState(result.outcome),
            source,
            code=result.status or result.code,
            words=result.words,
            ids=merged_ids(command.ids, result),
        )
    elif result.outcome == Outcome.UNKNOWN:
        if _is_of_this_attempt(command, result):
            become_unknown(
                draft, _with_ids(command, result), source, rules, words=result.words or "no answer"
            )
    elif source in (SeenBy.QUERY, SeenBy.OPERATOR):
        _was_not_sent(draft, command, result, source, rules)
    elif _is_of_this_attempt(command, result):
        _failed(draft, _with_ids(command, result), result, source, rules)


def become_unknown(
    draft: SendingDraft,
    command: OpenCommand,
    source: SeenBy,
    rules: SendingRules,
    *,
    words: str,
    code: str = "",
) -> None:
    """The outcome of the attempt is not known: from now on the gateway is asked about it."""
    unknown = msgspec.structs.replace(
        command,
        state=CommandState.UNKNOWN.value,
        asked=0,
        ask_at=draft.now + rules.queries[0],
        until=command.until or draft.now,
        retry_at=None,
        code=code,
        words=words,
    )
    draft.keep(unknown, source)


def merged_ids(known: list[str], result: MtResult) -> list[str]:
    """The gateway's ids in the order of the parts, with the ids from a result."""
    given = result.gateway_message_ids or (
        [result.gateway_message_id] if result.gateway_message_id else []
    )
    given = given[:_MOST_IDS]
    size = max(len(known), len(given))
    before = known + [""] * (size - len(known))
    after = given + [""] * (size - len(given))
    return [new or old for new, old in zip(after, before, strict=True)]


def _source_of(result: MtResult) -> SeenBy:
    is_known = result.source in (SeenBy.QUERY, SeenBy.OPERATOR)
    return SeenBy(result.source) if is_known else SeenBy.ANSWER


def _with_ids(command: OpenCommand, result: MtResult) -> OpenCommand:
    return msgspec.structs.replace(command, ids=merged_ids(command.ids, result))


def _is_of_this_attempt(command: OpenCommand, result: MtResult) -> bool:
    """Whether the result is of the last permitted attempt; other programs need no permit."""
    if not result.holder:
        return True
    return (
        command.state in (CommandState.PERMITTED, CommandState.UNKNOWN)
        and result.holder == command.holder
        and result.attempt == command.attempt
    )


def _failed(
    draft: SendingDraft,
    command: OpenCommand,
    result: MtResult,
    source: SeenBy,
    rules: SendingRules,
) -> None:
    """The gateway did not take it: it waits for its next attempt, or has failed for good."""
    if not result.is_temporary and (result.final or result.holder):
        draft.fail(
            command,
            source,
            code=result.code,
            words=result.words,
            is_blocked=result.code in GATEWAY_BLOCKS,
        )
        return
    wait = wait_after(command.command_id, command.failures + 1, rules)
    asked = timedelta(seconds=min(max(result.retry_after_seconds, 0), _MOST_SECONDS))
    waiting = msgspec.structs.replace(
        command,
        failures=command.failures + 1,
        attempt=max(command.attempt, result.attempt),
        retry_at=draft.now + max(wait, asked),
        code=result.code,
        words=result.words,
    )
    draft.wait_again(waiting, source)


def wait_after(command_id: str, failures: int, rules: SendingRules) -> timedelta:
    """The wait after this many failures: three quarters to five quarters, by the command's id.

    The id spreads commands that failed together, and a replay gives the same.
    """
    longest = rules.retries[min(failures, len(rules.retries)) - 1]
    chance = int(derived_id("retry", command_id, str(failures))[:8], 16) / 0x1_0000_0000
    return longest * (0.75 + chance / 2)


def _was_not_sent(
    draft: SendingDraft,
    command: OpenCommand,
    result: MtResult,
    source: SeenBy,
    rules: SendingRules,
) -> None:
    """The gateway does not know an unknown command, or an operator found that it was not sent."""
    if command.state != CommandState.UNKNOWN:
        return
    if source is SeenBy.QUERY and draft.now < _guard_end(command, draft.now, rules):
        return
    if command.not_after < draft.now:
        words = f"it was not sent, and its not_after is past; {result.words}"
        draft.fail(command, source, code=result.code, words=words, is_blocked=False)
        return
    waiting = msgspec.structs.replace(command, code=result.code, words=result.words)
    draft.wait_again(waiting, source)


def _guard_end(command: OpenCommand, now: datetime, rules: SendingRules) -> datetime:
    return (command.until or now) + rules.guard


def _correct(draft: SendingDraft, sent: SentCommand, result: MtResult, source: SeenBy) -> None:
    """Better evidence changes the state of a sent command, and missing ids are filled in."""
    ids = merged_ids(sent.ids, result)
    is_better = RANK[result.outcome] > RANK[sent.state] and not result.is_temporary
    if not is_better and ids == sent.ids:
        return
    corrected = msgspec.structs.replace(sent, ids=ids)
    if is_better:
        corrected = msgspec.structs.replace(
            corrected,
            state=result.outcome,
            code=result.status or result.code,
            words=result.words,
        )
    draft.keep_sent(corrected, source)
