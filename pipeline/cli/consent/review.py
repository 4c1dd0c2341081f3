"""`review`: lists messages that may be meant as a stop, and records what a person decides."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.consent.orders import send_order
from pipeline.cli.terminal.arguments import By, ReasonOption, actor_from, words_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

MAX: Final = 50
_DECIDED: Final = "SELECT mo_message_id FROM consent_request WHERE action IN ('accept', 'dismiss')"
UNDECIDED: Final = f"""\
SELECT * FROM
(
    SELECT message_id, formatDateTime(gateway_time, '%FT%TZ', 'UTC') AS at, handset,
        toString(number) AS number, text, true AS released, parts_total AS parts
    FROM mo_message WHERE has(flags, 'review')
    UNION ALL
    SELECT charge_id, formatDateTime(at, '%FT%TZ', 'UTC'), '', toString(number), '', false, parts
    FROM account_held WHERE has(flags, 'review')
)
WHERE message_id NOT IN ({_DECIDED})
ORDER BY at, message_id LIMIT {{max:UInt32}}"""  # noqa: S608  words of ours
#: Of a message that waits for credits, whose parts are known all the same.
MESSAGE: Final = """\
SELECT handset, toString(number) AS number, has(flags, 'review') AS flagged FROM mo_message
WHERE message_id = {id:String}
UNION ALL
SELECT any(handset), toString(any(number)), true FROM mo_part WHERE part_id IN
    (SELECT arrayJoin(part_ids) FROM account_held
        WHERE charge_id = {id:String} AND has(flags, 'review'))
HAVING count() > 0"""
DECISION: Final = """\
SELECT action, actor, formatDateTime(requested_at, '%FT%TZ', 'UTC') AS at FROM consent_request
WHERE mo_message_id = {id:String} AND action IN ('accept', 'dismiss')
ORDER BY requested_at, kafka_offset LIMIT 1"""

Id = Annotated[str, typer.Argument(metavar="ID", help="The message's id, as `review` lists it.")]


def list_messages(
    context: typer.Context,
    maximum: Annotated[int, typer.Option("--max", min=1, metavar="N", help="The oldest N.")] = MAX,
    json: Json = False,
    home: Home = None,
) -> None:
    """List the messages that wait for a decision, oldest first.

    `review accept` or `review dismiss` decides one. Such a message may be meant as a stop but is
    not a stop message, for example "please do not cancel". An accepted message counts as a stop. A
    dismissed one does not. A message that waits for credits is listed without its text.
    """
    context.obj = home
    if context.invoked_subcommand:
        return
    settings = settings_from(home=home)

    from pipeline.cli.ask.report_client import report_of, rows

    found = rows(report_of(settings), UNDECIDED, parameters={"max": maximum})
    for row in found:
        if json:
            print_json_line(row)
        else:
            say(_line_of(row))
    if not found and not json:
        say("nothing is waiting for a decision")


def _line_of(row: dict[str, Any]) -> str:
    if not row["released"]:
        parts = "1 part" if row["parts"] == 1 else f"{row['parts']} parts"
        return f"{row['message_id']}  {row['at']}  to {row['number']}: held until paid, {parts}"
    text = " ".join(row["text"].split())
    return f"{row['message_id']}  {row['at']}  {row['handset']} to {row['number']}: {text}"


def accept(
    context: typer.Context, message_id: Id, reason: ReasonOption, by: By = None, home: Home = None
) -> None:
    """Count a message as a stop from now on, and print the order's id.

    It stops the number texted, on our side (on a shared short code, every keyword of ours). To stop
    one keyword only, dismiss the message and use `twoway stop HANDSET CODE --keyword WORD`.
    """
    _decide("accept", message_id, reason, by, home or context.obj)


def dismiss(
    context: typer.Context, message_id: Id, reason: ReasonOption, by: By = None, home: Home = None
) -> None:
    """Record that a message is not a stop, and print the order's id. Consent does not change."""
    _decide("dismiss", message_id, reason, by, home or context.obj)


def _decide(action: str, message_id: str, reason: str, by: str | None, home: "Path | None") -> None:
    actor, words = actor_from(by), words_from(reason)
    settings = settings_from(home=home)
    message = _message_under_review(settings, message_id)

    from pipeline.records import ConsentAction

    order = send_order(
        settings,
        ConsentAction(action),
        request_id=f"review-{message_id}",  # one id for each message: the first decision counts
        handset=message["handset"],
        number=message["number"],
        mo_message_id=message_id,
        actor=actor,
        reason=words,
    )
    say(order)


def _message_under_review(settings: "Settings", message_id: str) -> dict[str, Any]:
    """Handset and number of a message; raises `CommandError` unless it waits for a decision."""
    from pipeline.cli.ask.report_client import report_of, rows

    report = report_of(settings)
    found = rows(report, MESSAGE, parameters={"id": message_id})
    if not found:
        raise CommandError(f"there is no message {message_id!r}")
    if not found[0]["flagged"]:
        raise CommandError(f"the message {message_id} is not flagged for review")
    decided = rows(report, DECISION, parameters={"id": message_id})
    if decided:
        words = "{action} by {actor} at {at}".format(**decided[0])
        raise CommandError(f"the message {message_id} is decided: {words}")
    return found[0]
