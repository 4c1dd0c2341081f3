"""The path of one MT in words: request, decision, permits, sending, and the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.records import CommandState, SeenBy
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.store.story.command import (
        MtCommandRow,
        MtHistory,
        MtRejectionRow,
        MtRequestRow,
        MtResultRow,
        MtStateRow,
    )

TEXT_SHOWN: Final = 80
_BY: Final = {
    SeenBy.GATE: "the gate let it pass",
    SeenBy.ASK: "a sender asked",
    SeenBy.ANSWER: "by what a sender saw",
    SeenBy.CALLBACK: "by a status callback",
    SeenBy.RECEIPT: "by an SMPP receipt",
    SeenBy.QUERY: "the gateway was asked",
    SeenBy.LAPSE: "no result came in time",
    SeenBy.OPERATOR: "an operator says so",
    SeenBy.STOP: "by a stop",
}
_SAW: Final = {SeenBy.QUERY: "the gateway, when asked", SeenBy.OPERATOR: "an operator"}
#: The order of steps at the same time: request, decision, result, then state.
_ASKED, _DECIDED, _SAW_FIRST, _STOOD = range(4)


def lines_of_mt(history: MtHistory) -> Iterator[str]:
    """Every step with its time, oldest first; the last line is the state of the command."""
    if history.command is not None:
        yield from _lines_of_command(history.command)
    for at, words in steps_of_mt(history):
        yield f"  {text_from_time(at)}  {words}"
    yield f"now: {how_it_stands(history)}"


def steps_of_mt(history: MtHistory) -> list[tuple[datetime, str]]:
    """Every step with its time, oldest first."""
    steps: list[tuple[datetime, int, str]] = []
    steps += [(row.requested_at, _ASKED, _asked(row)) for row in history.asked]
    if history.command is not None:
        steps.append((history.command.at, _DECIDED, "let pass by the gate"))
    steps += [(row.at, _DECIDED, _refused(row)) for row in history.refused]
    steps += [(row.at, _SAW_FIRST, _seen(row)) for row in history.seen]
    steps += [(row.at, _STOOD, _stood(row)) for row in history.states]
    return [(at, words) for at, _, words in sorted(steps, key=lambda step: step[:2])]


def _lines_of_command(command: MtCommandRow) -> Iterator[str]:
    asked = f", request {command.request_id}" if command.request_id else ", asked for by nobody"
    yield f"command {command.command_id}{asked}"
    by = f" by the api {command.api_id}" if command.api_id else ""
    sender = command.sender_id or "no sender ID"
    parts = f"{command.parts} part{'s' if command.parts != 1 else ''} in {command.encoding}"
    yield f"  {command.purpose} from {sender} to {command.handset}{by}, {parts}"
    yield f"  {_quoted(command.text)}, not after {text_from_time(command.not_after)}"
    if command.mo_message_id:
        yield f"  answers message {command.mo_message_id}"


def _asked(row: MtRequestRow) -> str:
    sender = f" from {row.sender_id}" if row.sender_id else ""
    purpose = ", to confirm a stop" if row.confirms_opt_out else ""
    return f"asked for: {_quoted(row.text)}{sender} to {row.to}{purpose}"


def _refused(row: MtRejectionRow) -> str:
    message = f"; message {row.mo_message_id}" if row.mo_message_id else ""
    when = f" of {text_from_time(row.caused_at)}" if row.caused_at else ""
    return f"refused: {row.rule}{_in_brackets(row.detail)}{message}{when}"


def _seen(row: MtResultRow) -> str:
    way = f" by {row.way}" if row.way else ""
    api = f", api {row.api_id}" if row.api_id else ""
    part = f", part {row.part_number}" if row.part_number else ""
    again = " (may be tried again)" if row.is_temporary else ""
    pause = f", wait {row.retry_after_seconds} s" if row.retry_after_seconds else ""
    said = " ".join(filter(None, [row.status or row.code, row.words]))
    ids = [i for i in row.gateway_message_ids or [row.gateway_message_id] if i]
    return (
        f"{_SAW.get(SeenBy(row.source), 'a sender')} saw: {row.outcome}{again}, attempt"
        f" {row.attempt}{way}{api}{part}{pause}{_in_brackets(said)}{_ids(ids)}{_charge(row.charge)}"
    )


def _stood(row: MtStateRow) -> str:
    said = " ".join(filter(None, [row.code, row.words]))
    match row.state:
        case CommandState.PERMITTED:
            parts = f", parts {' '.join(map(str, row.parts))}" if row.parts else ""
            words = f"permitted: attempt {row.attempt}{parts} to the sender {row.holder}"
            if row.until:
                words += f" until {text_from_time(row.until)}"
            if row.consent_asked_at:
                words += f"; consent was looked at {text_from_time(row.consent_asked_at)}"
            return words
        case CommandState.WAITING:
            behind = f" behind the command {row.behind}" if row.behind else ""
            until = f" until {text_from_time(row.retry_at)}" if row.retry_at else ""
            return f"waiting{behind}{until}{_in_brackets(said)}: {_by(row)}"
        case CommandState.UNKNOWN if row.ask_gateway:
            return f"unknown{_in_brackets(said)}: the gateway is to be asked"
    return (
        f"{row.state}{_in_brackets(said)}: {_by(row)}{_ids(row.gateway_message_ids)}"
        f"{_charge(row.charge)}"
    )


def how_it_stands(history: MtHistory) -> str:
    """The latest state in words."""
    if history.states:
        last = history.states[-1]
        said = " ".join(filter(None, [last.code, last.words]))
        return f"{last.state}{_in_brackets(said)}{_charge(last.charge)}, {_since(last)}"
    if history.refused:
        return f"refused: {history.refused[-1].rule}"
    if history.seen:
        return f"{history.seen[-1].outcome}, as its sender saw it"
    return "waiting to be sent" if history.command else "not decided by the gate yet"


def _since(row: MtStateRow) -> str:
    return f"since {text_from_time(row.at)}"


def _by(row: MtStateRow) -> str:
    return _BY.get(SeenBy(row.source), row.source) if row.source in set(SeenBy) else row.source


def _ids(ids: list[str]) -> str:
    found = [name for name in ids if name]
    return f", the gateway's id {' '.join(found)}" if found else ""


def _charge(charge: str) -> str:
    return f", charged {charge} credits" if charge else ""


def _in_brackets(words: str) -> str:
    return f" ({words})" if words else ""


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= TEXT_SHOWN else f'"{line[:TEXT_SHOWN]}…"'
