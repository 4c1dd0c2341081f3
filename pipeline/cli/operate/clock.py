"""`clock`, `clock advance` and `clock reset`: the pipeline's time."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.duration import duration_from_text, text_from_duration
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

LONG_MINUTES: Final = 24 * 60


def show(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print the time of each partition too.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Print the pipeline's time, or change it.

    The pipeline's time is the machine's time. On a local stack it is the machine's time plus what
    `clock advance` has added.
    """
    context.obj = home
    if context.invoked_subcommand:
        return
    settings = settings_from(home=home)

    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of

    bootstrap = bootstrap_of(settings)
    now = clock_of(settings).now()
    times: Mapping[int, datetime | None] = {}
    if verbose:
        from pipeline.cli.operate.partitions import partition_times

        times = partition_times(bootstrap)
    if json:
        partitions = [{"partition": each, "time": time} for each, time in times.items()]
        print_json_line({"time": now, "partitions": partitions if verbose else None})
        return
    say(text_from_time(now))
    for partition, time in times.items():
        say(f"partition {partition}: {text_from_time(time) if time else 'no tick seen'}")


def advance(
    context: typer.Context,
    by: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 90m, 6h, 1h30m or 2d.")],
    home: Home = None,
) -> None:
    """Advance the local stack's clock.

    The command returns when workers and store have processed the new time. Time passes in steps of
    a minute, so that deadlines fall due in order. With a sender, what falls due is sent before time
    passes on. The clock cannot go back.
    """
    try:
        duration = duration_from_text(by)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.operate.advance import STEP, advance_stack
    from pipeline.cli.terminal.local import local_stack_of
    from pipeline.clock import PipelineClock

    stack = local_stack_of(settings)
    if duration > LONG_MINUTES * STEP:
        say(
            f"{text_from_duration(duration)}: {duration // STEP} ticks for each partition", err=True
        )
    time = advance_stack(
        stack,
        PipelineClock(settings.home),
        duration,
        say=lambda words: say(words, err=True),
    )
    say(text_from_time(time))


def reset(context: typer.Context, home: Home = None) -> None:
    """Set back partitions that leapt far ahead of the broker's clock.

    Other partitions do not change. Effects of the leap are not undone; deploy/decisions/0087 says
    what to check afterwards. The command returns when the workers have taken the order.
    """
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.operate.clock_reset import reset_times
    from pipeline.home.stack import bootstrap_of

    for line in reset_times(bootstrap_of(settings), say=lambda words: say(words, err=True)):
        say(line)
