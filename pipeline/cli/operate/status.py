"""`status`: how far each partition is, and what is down."""

import sys
import time
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import clear_screen, say

if TYPE_CHECKING:
    from pipeline.cli.operate.pipeline_state import PipelineState

EXIT_NOT_WELL: Final = 3


def status(
    watch: Annotated[
        float | None,
        typer.Option(
            "--watch",
            min=0.1,
            metavar="SECONDS",
            help="Show it again after so many seconds, until Ctrl-C.",
            show_default=False,
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Exit with 3 if anything is down or waits for an operator."),
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Show how far each partition is, and what is down.

    Lag, time and oldest confirmation due of each partition; last MO of each number; dead letters;
    commands that wait, are permitted, or of which nobody knows what became; what waits for each
    reply path, and its circuit; how many processes read in each group; which processes wait for an
    operator, or end again and again, and why.
    Works when parts are down, and says which; the exit code is 0 as long as it could ask, unless
    --check is given.
    """
    settings = settings_from(home=home)

    from pipeline.cli.operate.pipeline_state import pipeline_state

    while True:
        state = pipeline_state(settings)
        if watch is not None and not json and sys.stdout.isatty():
            clear_screen()
        _print(state, json=json)
        if watch is None:
            break
        time.sleep(watch)
    if check and not state.is_well:
        raise typer.Exit(EXIT_NOT_WELL)


def _print(state: "PipelineState", *, json: bool) -> None:
    from pipeline.cli.operate.state_lines import lines_of_state

    if json:
        print_json_line(state)
        return
    for line in lines_of_state(state):
        say(line)
