"""`clock` and `clock advance`: the pipeline's time."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.duration import duration_from_text, text_from_duration
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.output import text_from_time

if TYPE_CHECKING:
    from pathlib import Path

LONG_MINUTES: Final = 24 * 60


def show(
    context: typer.Context,
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Each partition's time, too.")
    ] = False,
    home: Home = None,
) -> None:
    """Print the pipeline's time, or advance it.

    It is the machine's, and on a local stack what `clock advance` has added.
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
    """Put the local stack's clock forward.

    Returns when all has been worked through. Time passes in steps of a minute, so that each
    deadline falls due in its turn; it cannot go back.
    """
    try:
        duration = duration_from_text(by)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.operate.advance import STEP, advance_clock
    from pipeline.cli.terminal.local import local_stack_of
    from pipeline.clock import PipelineClock

    stack = local_stack_of(settings)
    if duration > LONG_MINUTES * STEP:
        typer.echo(
            f"{text_from_duration(duration)} are {duration // STEP} ticks a partition", err=True
        )
    time = advance_clock(
        stack.kafka,
        PipelineClock(settings.home),
        duration,
        say=lambda words: typer.echo(words, err=True),
    )
    typer.echo(text_from_time(time))


def reset(context: typer.Context, home: Home = None) -> None:
    """Take partitions back whose time has leapt far beyond the broker's.

    Others are left as they are. What fell due by the leap stays done; deploy/decisions/0087 says
    what to look at afterwards. Returns when the workers have taken the order.
    """
    above: Path | None = context.obj
    settings = settings_from(home=home or above)

    from pipeline.cli.operate.clock_reset import reset_times
    from pipeline.home.stack import bootstrap_of

    for line in reset_times(bootstrap_of(settings), say=lambda words: typer.echo(words, err=True)):
        typer.echo(line)
