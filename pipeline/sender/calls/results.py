"""The outcome of an attempt, as the record that the worker reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.identity import derived_id
from pipeline.records import MtResult, Outcome, SeenBy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.records import MtCommand
    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Answer, Found

#: The outcome of several parts is the first of these that any part has.
_WORST_FIRST: Final = (Outcome.UNKNOWN, Outcome.FAILED, Outcome.SUBMITTED)


def result_of_answers(
    command: MtCommand,
    answers: Sequence[Answer],
    *,
    api: Api,
    attempt: int,
    holder: str,
    at: datetime,
) -> MtResult:
    """One result for the whole attempt, with the gateway's ids in the order of the parts."""
    worst = _worst(answers)
    ids = _ids_of(answers)
    return MtResult(
        result_id=derived_id("mt-result", command.command_id, holder, str(attempt)),
        command_id=command.command_id,
        request_id=command.request_id,
        handset=command.handset,
        outcome=worst.outcome.value,
        final=worst.outcome is Outcome.FAILED and not worst.is_temporary,
        gateway_message_id=ids[0] if len(ids) == 1 else "",
        code=worst.code,
        words=worst.words,
        attempt=attempt,
        at=at,
        way=api.way.value,
        api_id=api.api_id,
        holder=holder,
        gateway_message_ids=ids,
        is_temporary=worst.is_temporary,
        retry_after_seconds=worst.retry_after_seconds,
    )


def _worst(answers: Sequence[Answer]) -> Answer:
    """The answer that decides: unknown, then failed for good, then failed temporarily."""
    return min(answers, key=lambda a: (_WORST_FIRST.index(a.outcome), a.is_temporary))


def _ids_of(answers: Sequence[Answer]) -> list[str]:
    """For a message in parts one id for each part, empty where the gateway gave none."""
    last = max(answer.part_number for answer in answers)
    if not last:
        return [one for answer in answers for one in answer.gateway_message_ids]
    ids = [""] * last
    for answer in answers:
        if answer.gateway_message_ids:
            ids[answer.part_number - 1] = answer.gateway_message_ids[0]
    return ids if any(ids) else []


def result_of_query(
    command: MtCommand, found: Found, outcome: Outcome, *, api: Api, attempt: int, at: datetime
) -> MtResult:
    """The gateway's answer to a query; `failed` if it does not know the message."""
    return MtResult(
        result_id=derived_id("mt-result", command.command_id, "query", at.isoformat()),
        command_id=command.command_id,
        request_id=command.request_id,
        handset=command.handset,
        outcome=outcome.value,
        final=False,
        gateway_message_id=found.gateway_message_id,
        code=found.code,
        words=found.words,
        attempt=attempt,
        at=at,
        way=api.way.value,
        api_id=api.api_id,
        status=found.status,
        charge=found.charge,
        gateway_at=found.gateway_at,
        source=SeenBy.QUERY.value,
        is_temporary=outcome is Outcome.FAILED,
    )
