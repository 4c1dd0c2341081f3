"""`mt resolve`: an operator says whether a command was sent."""

import uuid
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.arguments import By, ReasonOption, actor_from, words_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.records import MtResult
    from pipeline.store.story.command import Now


def resolve(
    command_id: Annotated[str, typer.Argument(metavar="COMMAND_ID", help="The command.")],
    reason: ReasonOption,
    was_sent: Annotated[
        bool | None,
        typer.Option(
            "--sent/--not-sent",
            help="The gateway has the message; or it never got it, and it may be sent again.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also for a command in another state.")
    ] = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Decide whether a command whose state is unknown was sent.

    With --not-sent the worker may permit the command once more: be sure, or the handset gets the
    message twice.
    """
    if was_sent is None:
        raise typer.BadParameter("say --sent or --not-sent")
    actor, words = actor_from(by), words_from(reason)
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import Outgoing, publish
    from pipeline.cli.ask.report_client import report_of
    from pipeline.cli.mt.history import now_of
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka import topics
    from pipeline.sms.msisdn import key_from_handset

    now = checked(now_of(report_of(settings), command_id.strip()), is_forced=force)
    result = result_from(
        now, was_sent=was_sent, words=f"{actor}: {words}", at=clock_of(settings).now()
    )
    key = key_from_handset(now.handset)
    publish(bootstrap_of(settings), [Outgoing(topic=topics.MT_RESULT, record=result, key=key)])
    say(result.result_id)


def checked(now: "Now | None", *, is_forced: bool) -> "Now":
    """The state of the command; raises `CommandError` if nobody needs to say what became of it."""
    from pipeline.records import CommandState

    if now is None:
        raise CommandError(
            "the worker has said nothing of this command: there is none of this id, or no sender"
            " has asked for it"
        )
    if not now.handset:
        raise CommandError("its handset was forgotten")
    if now.state != CommandState.UNKNOWN and not is_forced:
        raise CommandError(
            f"it stands as {now.state}, not as unknown: `twoway mt show {now.command_id}` says why;"
            " --force says it all the same"
        )
    return now


def result_from(now: "Now", *, was_sent: bool, words: str, at: "datetime") -> "MtResult":
    """The operator's decision, as a result of the attempt that the worker knows."""
    from pipeline.records import MtResult, Outcome, SeenBy

    return MtResult(
        result_id=uuid.uuid4().hex,
        command_id=now.command_id,
        request_id=now.request_id,
        handset=now.handset,
        outcome=Outcome.SUBMITTED if was_sent else Outcome.FAILED,
        final=False,
        gateway_message_id="",
        code="",
        words=words,
        attempt=now.attempt,
        at=at,
        source=SeenBy.OPERATOR,
        is_temporary=not was_sent,
    )
