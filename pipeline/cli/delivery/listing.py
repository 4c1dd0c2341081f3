"""`delivery list`: what is handed on to your application, and how it stands."""

from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.settings import Settings

MAX: Final = 50
DELIVERIES_ASKED: Final = """\
SELECT delivery_id, path, kind, subject_id, handset, number, toString(state) AS state, attempts,
    ifNull(formatDateTime(due_at, '%FT%TZ', 'UTC'), '') AS due, status, words, duration_ms,
    formatDateTime(decided_at, '%FT%TZ', 'UTC') AS decided
FROM delivery_now
WHERE ({all:Bool} OR state != 'delivered')
    AND ({path:String} = '' OR path = {path:String})
    AND ({id:String} = '' OR delivery_id = {id:String})
ORDER BY decided_at DESC
LIMIT {most:UInt32}"""


class DeliveryRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `delivery_now`."""

    delivery_id: str
    path: str
    kind: str
    subject_id: str
    handset: str
    number: str
    state: str
    attempts: int
    due: str
    status: str
    words: str
    duration_ms: int
    decided: str


def line_of_delivery(row: DeliveryRow) -> str:
    """One delivery as a line of words."""
    seen = " ".join(filter(None, (row.status, row.words)))
    last = f", the last: {seen} after {row.duration_ms} ms" if seen else ""
    due = f", again at {row.due}" if row.due else ""
    attempts = "1 attempt" if row.attempts == 1 else f"{row.attempts} attempts"
    return (
        f"{row.delivery_id}  {row.decided}  {row.path}  {row.state}  {row.kind} {row.subject_id}"
        f" of {row.handset}: {attempts}{last}{due}"
    )


def deliveries_of(
    settings: "Settings",
    *,
    everything: bool = False,
    path: str = "",
    delivery_id: str = "",
    most: int = MAX,
) -> list[DeliveryRow]:
    """The newest deliveries; `everything`: also those that were delivered."""
    from pipeline.cli.ask.report_client import report_of, rows

    parameters = {"all": everything, "path": path, "id": delivery_id, "most": most}
    found = rows(report_of(settings), DELIVERIES_ASKED, parameters=parameters)
    return msgspec.convert(found, list[DeliveryRow])


def list_deliveries(
    path: Annotated[str, typer.Option("--path", metavar="NAME", help="Of this path only.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what was delivered.")] = False,
    maximum: Annotated[int, typer.Option("--max", min=1, metavar="N", help="The newest N.")] = MAX,
    json: Json = False,
    home: Home = None,
) -> None:
    """List deliveries that are open or were given up.

    The newest first.

    It asks ClickHouse, which is about a second behind.
    """
    settings = settings_from(home=home)
    found = deliveries_of(settings, everything=everything, path=path, most=maximum)
    for row in found:
        if json:
            print_json_line(row)
        else:
            say(line_of_delivery(row))
    if not found and not json:
        say("nothing waits, and nothing was given up")
