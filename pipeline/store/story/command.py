"""Reads all rows of one MT from ClickHouse: request, command, refusals, results and states."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from pipeline.store.story.asking import Asking

_Row = TypeVar("_Row", bound=msgspec.Struct)


def _iso(*names: str) -> str:
    return ", ".join(f"formatDateTime({name}, '%FT%T.%fZ', 'UTC') AS {name}_iso" for name in names)


# The tables are sorted by the handset: once it is known, the rest is quick.
_OF_WHOM: Final = " AND ({whose:String} = '' OR handset = {whose:String})"
_COMMANDS: Final = f"""\
SELECT command_id, request_id, purpose, sender_id, handset, text, mo_message_id, api_id, encoding,
    parts, {_iso("at", "not_after")}
FROM mt_command WHERE (command_id = {{id:String}} OR request_id = {{id:String}}){_OF_WHOM}
ORDER BY at"""  # noqa: S608  names of ours
_REQUESTS: Final = f"""\
SELECT request_id, to, text, ifNull(sender_id, '') AS sender_id, confirms_opt_out,
    {_iso("requested_at")}
FROM mt_request WHERE request_id = {{id:String}}{_OF_WHOM} ORDER BY requested_at"""  # noqa: S608
_REJECTIONS: Final = f"""\
SELECT rule, detail, command_id, mo_message_id, {_iso("at", "caused_at")}
FROM mt_rejection
WHERE (({{request:String}} != '' AND request_id = {{request:String}})
    OR ({{command:String}} != '' AND command_id = {{command:String}})){_OF_WHOM}
ORDER BY at"""  # noqa: S608
_OF_COMMAND: Final = """
WHERE handset IN ({handset:String}, '') AND command_id = {command:String} ORDER BY kafka_offset"""
_RESULTS: Final = f"""\
SELECT outcome, final, gateway_message_id, code, words, attempt, way, api_id, part_number,
    gateway_message_ids, status, charge, source, is_temporary, retry_after_seconds,
    {_iso("at", "gateway_at")}
FROM mt_result{_OF_COMMAND}"""  # noqa: S608
_STATES: Final = f"""\
SELECT state, attempt, parts, holder, behind, gateway_message_ids, code, words, charge, source,
    ask_gateway, {_iso("at", "until", "retry_at", "consent_asked_at")}
FROM mt_state{_OF_COMMAND}"""  # noqa: S608
_NOW: Final = """\
SELECT command_id, request_id, handset, state, attempt FROM mt_now
WHERE command_id = {id:String} ORDER BY at DESC LIMIT 1"""


class MtRequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `mt_request`."""

    request_id: str
    to: str
    text: str
    sender_id: str
    confirms_opt_out: bool
    requested_at: datetime


class MtCommandRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `mt_command`."""

    command_id: str
    request_id: str
    purpose: str
    sender_id: str
    handset: str
    text: str
    mo_message_id: str
    api_id: str
    encoding: str
    parts: int
    at: datetime
    not_after: datetime


class MtRejectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `mt_rejection`."""

    rule: str
    detail: str
    command_id: str
    mo_message_id: str
    at: datetime
    caused_at: datetime | None


class MtResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `mt_result`."""

    outcome: str
    final: bool
    gateway_message_id: str
    code: str
    words: str
    attempt: int
    way: str
    api_id: str
    part_number: int
    gateway_message_ids: list[str]
    status: str
    charge: str
    source: str
    is_temporary: bool
    retry_after_seconds: int
    at: datetime
    gateway_at: datetime | None


class MtStateRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `mt_state`."""

    state: str
    attempt: int
    parts: list[int]
    holder: str
    behind: str
    gateway_message_ids: list[str]
    code: str
    words: str
    charge: str
    source: str
    ask_gateway: bool
    at: datetime
    until: datetime | None
    retry_at: datetime | None
    consent_asked_at: datetime | None


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The present state of a command."""

    command_id: str
    request_id: str
    handset: str
    state: str
    attempt: int


class MtHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All rows of one request or command; states and results are in the order of Kafka."""

    asked: list[MtRequestRow]
    command: MtCommandRow | None
    refused: list[MtRejectionRow]
    seen: list[MtResultRow]
    states: list[MtStateRow]

    @property
    def is_empty(self) -> bool:
        """Whether there are no rows."""
        return not (self.asked or self.command or self.refused or self.seen or self.states)


def asking_history(name: str, *, whose: str = "") -> Asking[MtHistory]:
    """Ask for the rows of a command or request by its id; with the handset it is faster."""
    commands = yield from _asking(_COMMANDS, MtCommandRow, {"id": name, "whose": whose})
    command = commands[-1] if commands else None
    request_id = command.request_id if command else name
    command_id = command.command_id if command else name
    if command:
        handset = command.handset
    elif whose:
        handset = whose
    else:
        now = yield from asking_now(name)
        handset = now.handset if now else ""
    given = {"command": command_id, "handset": handset}
    named = {"request": request_id, "command": command_id, "whose": whose}
    asked = {"id": request_id, "whose": whose}
    return MtHistory(
        asked=(yield from _asking(_REQUESTS, MtRequestRow, asked)) if request_id else [],
        command=command,
        refused=(yield from _asking(_REJECTIONS, MtRejectionRow, named)),
        seen=(yield from _asking(_RESULTS, MtResultRow, given)),
        states=(yield from _asking(_STATES, MtStateRow, given)),
    )


def asking_now(command_id: str) -> Asking[Now | None]:
    """Ask for the state of a command; None if the worker has published none."""
    found = yield from _asking(_NOW, Now, {"id": command_id})
    return found[0] if found else None


def _asking(sql: str, kind: type[_Row], parameters: dict[str, str]) -> Asking[list[_Row]]:
    found = yield sql, parameters
    return [
        msgspec.convert({name.removesuffix("_iso"): row[name] for name in row}, kind, strict=False)
        for row in found
    ]
