"""`mt`: requests an MT from the command line."""

import uuid
from datetime import datetime
from typing import Annotated

import typer

from pipeline.cli.terminal.arguments import handset_from
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say


def time_from_text(text: str) -> datetime:
    """The time of an ISO 8601 text that has a UTC offset; raises `typer.BadParameter`."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise typer.BadParameter(
            f"{text!r} is not a time such as 2026-11-22T18:00:00Z or 2026-11-22T20:00+02:00"
        )
    return time


def mt(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="HANDSET", help="Handset, in international format. [required]"
        ),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="TEXT", help="What to say. [required]")
    ] = None,
    sender_id: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SENDER",
            help="Sender ID. Default: the number that the handset texted last.",
        ),
    ] = None,
    keyword: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="Keyword of the message, for a shared short code."),
    ] = None,
    confirms_opt_out: Annotated[
        bool, typer.Option("--confirms-opt-out", help="This message confirms a stop.")
    ] = False,
    request_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Your own id. The same request again changes nothing."),
    ] = None,
    not_after: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Refuse it after this time (ISO 8601 with offset)."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Wait up to a minute until it is sent or refused; say how."),
    ] = False,
    home: Home = None,
) -> None:
    """Request an MT, and print the id of the request.

    The gate then decides whether the MT is sent. See GET /mt/ID, `twoway mt show ID`, and the
    views mt_command, mt_now and mt_rejection.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None or text is None:
        missing = "--to" if to is None else "--text"
        context.fail(f"Missing option '{missing}'.")
    handset = handset_from(to)
    last_moment = time_from_text(not_after) if not_after else None
    settings = settings_from(home=home)

    from ingest.http.mt.requests import REQUEST_ID, REQUEST_ID_WORDS
    from pipeline.cli.ask.broker import Outgoing, publish
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka import topics
    from pipeline.records import MtRequest
    from pipeline.sms.msisdn import key_from_handset

    if request_id is not None and not REQUEST_ID.fullmatch(request_id):
        raise typer.BadParameter(f"--request-id must be {REQUEST_ID_WORDS}")
    request = MtRequest(
        request_id=request_id or uuid.uuid4().hex,
        to=handset,
        text=text,
        sender_id=sender_id,
        keyword=keyword,
        confirms_opt_out=confirms_opt_out,
        requested_at=clock_of(settings).now(),
        not_after=last_moment,
    )
    key = key_from_handset(handset)
    publish(bootstrap_of(settings), [Outgoing(topic=topics.MT_REQUEST, record=request, key=key)])
    say(request.request_id)
    if wait:
        from pipeline.cli.mt.waiting import wait_until_decided

        wait_until_decided(settings, request.request_id)
