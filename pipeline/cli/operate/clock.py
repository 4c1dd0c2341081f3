"""`clock`, `clock advance` and `clock reset`: the pipeline's time."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.duration import duration_from_text, text_from_duration
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.clock import text_from_time

if TYPE_CHECKING:
    from pathlib import Path

LONG_MINUTES: Final = 24 * 60


def show(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Print the time of each partition too.")
    ] = False,
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
    typer.echo(text_from_time(clock_of(settings).now()))
    if not verbose:
        return

    from pipeline.cli.operate.partitions import partition_times

    for partition, time in partition_times(bootstrap).items():
        typer.echo(f"partition {partition}: {text_from_time(time) if time else 'no tick seen'}")


def advance(
    context: typer.Context,
    by: Annotated[str, typer.Argument(metavar="DURATION", help="Such as 90m, 6h, 1h30m or 2d.")],
    home: Home = None,
) -> None:
    """Advance the local stack's clock.

    The command returns when workers and store have processed the new time. Time passes in steps of
    a minute, so that deadlines fall due in order. The clock cannot go back.
    """
    try:
        duration = duration_from_text(by)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.ask.report_client import rows
    from pipeline.cli.operate.advance import (
        STEP,
        advance_clock,
        wait_until_nothing_is_permitted,
    )
    from pipeline.cli.terminal.local import local_stack_of
    from pipeline.clock import PipelineClock

    stack = local_stack_of(settings)
    if duration > LONG_MINUTES * STEP:
        typer.echo(
            f"{text_from_duration(duration)}: {duration // STEP} ticks for each partition", err=True
        )
    if "sender" in stack.pids:
        sql = "SELECT count() AS n FROM mt_now WHERE state = 'permitted'"
        wait_until_nothing_is_permitted(
            lambda: int(rows(stack.report, sql)[0]["n"]),
            say=lambda words: typer.echo(words, err=True),
        )
    time = advance_clock(
        stack.kafka,
        PipelineClock(settings.home),
        duration,
        say=lambda words: typer.echo(words, err=True),
    )
    typer.echo(text_from_time(time))


def reset(context: typer.Context, home: Home = None) -> None:
    """Set back the time of partitions whose time leapt far ahead of the broker's clock.

    Other partitions do not change. Effects of the leap are not undone; deploy/decisions/0087 says
    what to check afterwards. The command returns when the workers have taken the order.
    """
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.operate.clock_reset import reset_times
    from pipeline.home.stack import bootstrap_of

    for line in reset_times(bootstrap_of(settings), say=lambda words: typer.echo(words, err=True)):
        typer.echo(line)
