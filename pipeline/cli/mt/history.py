"""Everything ClickHouse has of one MT: request, command, refusals, results and states."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from pipeline.cli.ask.report_client import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

_Row = TypeVar("_Row", bound=msgspec.Struct)


def _iso(*names: str) -> str:
    return ", ".join(f"formatDateTime({name}, '%FT%T.%fZ', 'UTC') AS {name}_iso" for name in names)


# The tables are sorted by the handset: once it is known, the rest is quick.
_COMMANDS: Final = f"""\
SELECT command_id, request_id, purpose, sender_id, handset, text, mo_message_id, api_id, encoding,
    parts, {_iso("at", "not_after")}
FROM mt_command WHERE command_id = {{id:String}} OR request_id = {{id:String}} ORDER BY at"""  # noqa: S608  names of ours
_REQUESTS: Final = f"""\
SELECT request_id, to, text, ifNull(sender_id, '') AS sender_id, confirms_opt_out,
    {_iso("requested_at")}
FROM mt_request WHERE request_id = {{id:String}} ORDER BY requested_at"""  # noqa: S608
_REJECTIONS: Final = f"""\
SELECT rule, detail, command_id, mo_message_id, {_iso("at", "caused_at")}
FROM mt_rejection
WHERE ({{request:String}} != '' AND request_id = {{request:String}})
    OR ({{command:String}} != '' AND command_id = {{command:String}})
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
    """How a command stands now."""

    command_id: str
    request_id: str
    handset: str
    state: str
    attempt: int


class MtHistory(msgspec.Struct, frozen=True, kw_only=True):
    """All of one request or command; states and results in the order of Kafka."""

    asked: list[MtRequestRow]
    command: MtCommandRow | None
    refused: list[MtRejectionRow]
    seen: list[MtResultRow]
    states: list[MtStateRow]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known at all."""
        return not (self.asked or self.command or self.refused or self.seen or self.states)


def history_of(report: str, name: str) -> MtHistory:
    """What is known of the command or the request of this id."""
    commands = _read(report, _COMMANDS, MtCommandRow, {"id": name})
    command = commands[-1] if commands else None
    request_id = command.request_id if command else name
    command_id = command.command_id if command else name
    given = {"command": command_id, "handset": command.handset if command else _whose(report, name)}
    named = {"request": request_id, "command": command_id}
    return MtHistory(
        asked=_read(report, _REQUESTS, MtRequestRow, {"id": request_id}) if request_id else [],
        command=command,
        refused=_read(report, _REJECTIONS, MtRejectionRow, named),
        seen=_read(report, _RESULTS, MtResultRow, given),
        states=_read(report, _STATES, MtStateRow, given),
    )


def now_of(report: str, command_id: str) -> Now | None:
    """How a command stands; None: the worker has said nothing of it."""
    found = _read(report, _NOW, Now, {"id": command_id})
    return found[0] if found else None


def _whose(report: str, command_id: str) -> str:
    now = now_of(report, command_id)
    return now.handset if now else ""


def _read(report: str, sql: str, kind: type[_Row], parameters: Mapping[str, str]) -> list[_Row]:
    return [
        msgspec.convert({name.removesuffix("_iso"): row[name] for name in row}, kind, strict=False)
        for row in rows(report, sql, parameters=parameters)
    ]
