"""The gateway's later reports: status callbacks and SMPP receipts (HTTP API 2.3.8, appendix B).

They may come twice, out of order, or before the answer: the best evidence holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import CommandState, SeenBy
from pipeline.stages.sending.codes import RANK, STATE_OF_STATUS
from pipeline.stages.sending.row import HeardStatus, SentCommand, sent_from_open
from pipeline.wire.smpp.receipt import key_of_message_id, keys_of_message_id

if TYPE_CHECKING:
    from pipeline.stages.sending.draft import SendingDraft

_DELIVERED: Final = CommandState.DELIVERED.value
_UNDELIVERED: Final = CommandState.UNDELIVERED.value
_NOT_WHOLE: Final = (
    CommandState.FAILED.value,
    CommandState.UNKNOWN.value,
    CommandState.REFUSED.value,
)


def take_status(
    draft: SendingDraft,
    command_id: str,
    status: HeardStatus,
    sent: SentCommand | None,
    source: SeenBy,
) -> None:
    """Enter a status of an open or a sent command."""
    if STATE_OF_STATUS.get(status.status) is None and not status.charge:
        return
    command = draft.find(command_id)
    if command is None:
        if sent is not None:
            _correct(draft, sent, status, source)
        return
    if status.status not in STATE_OF_STATUS:
        return
    ids = command.ids or ([status.gateway_message_id] if status.gateway_message_id else [])
    row = sent_from_open(command, CommandState.SUBMITTED, ids=ids)
    draft.keep_sent(_with_status(row, status), source)


def _correct(draft: SendingDraft, sent: SentCommand, status: HeardStatus, source: SeenBy) -> None:
    if not sent.ids and status.gateway_message_id:
        sent_with_id = msgspec.structs.replace(sent, ids=[status.gateway_message_id])
    else:
        sent_with_id = sent
    corrected = _with_status(sent_with_id, status)
    if corrected != sent:
        draft.keep_sent(corrected, source)


def _with_status(sent: SentCommand, status: HeardStatus) -> SentCommand:
    """The row with the status of one of its messages; worse evidence changes nothing."""
    if status.charge and status.charge != sent.charge:
        sent = msgspec.structs.replace(sent, charge=status.charge, charge_units=status.charge_units)
    if status.status not in STATE_OF_STATUS:
        return sent
    place = _place(sent.ids, status.gateway_message_id)
    statuses = sent.statuses + [""] * (max(len(sent.ids), place + 1) - len(sent.statuses))
    if _rank(status.status) < _rank(statuses[place]):
        return sent
    statuses = [*statuses[:place], status.status, *statuses[place + 1 :]]
    state = _whole(statuses)
    if RANK[state] < RANK[sent.state] or _lacks_a_part(sent):
        return msgspec.structs.replace(sent, statuses=statuses)
    return msgspec.structs.replace(
        sent, statuses=statuses, state=state, code=status.status, words=status.words
    )


def _lacks_a_part(sent: SentCommand) -> bool:
    """Whether a part was not sent, was refused or is unknown: other parts say nothing about it."""
    return sent.state in _NOT_WHOLE and len(sent.ids) > 1 and not all(sent.ids)


def _place(ids: list[str], gateway_message_id: str) -> int:
    wanted = set(keys_of_message_id(gateway_message_id))
    return next((at for at, known in enumerate(ids) if key_of_message_id(known) in wanted), 0)


def _rank(status: str) -> int:
    """Of two statuses of one message the one of higher rank holds; of equal ranks the later."""
    state = STATE_OF_STATUS.get(status)
    return -1 if state is None else RANK[state.value]


def _whole(statuses: list[str]) -> str:
    """The result of the statuses of all parts: the handset needs every part."""
    states = [STATE_OF_STATUS.get(status, CommandState.SUBMITTED).value for status in statuses]
    if _UNDELIVERED in states:
        return _UNDELIVERED
    if all(state == _DELIVERED for state in states):
        return _DELIVERED
    return CommandState.SUBMITTED.value
