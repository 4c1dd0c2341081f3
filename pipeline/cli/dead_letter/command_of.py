"""Whose a status is that names no handset: that of the command it is of, by ClickHouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.cli.ask.report_client import report_of, rows

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.wire.status import StatusReport

_HANDSET: Final = """SELECT handset FROM
(
    SELECT handset FROM mt_command WHERE command_id = {command_id:String}
    UNION ALL
    SELECT handset FROM mt_state
    WHERE {gateway_id:String} != '' AND has(gateway_message_ids, {gateway_id:String})
)
WHERE handset != '' LIMIT 1"""


def handset_of_report(settings: Settings, report: StatusReport) -> str:
    """The handset of the command that the report names; empty where none is known."""
    parameters = {"command_id": report.command_id, "gateway_id": report.gateway_message_id}
    found = rows(report_of(settings), _HANDSET, parameters=parameters)
    return str(found[0]["handset"]) if found else ""
