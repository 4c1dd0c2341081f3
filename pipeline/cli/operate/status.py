"""`status`: how far each partition is, and what is down."""

import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line


def status(json: Json = False, home: Home = None) -> None:
    """Show how far each partition is, and what is down.

    It shows lag, time and oldest confirmation due of each partition, the last MO of each number,
    the dead letters, and which processes wait for an operator or keep ending, and why. It works
    when some processes are down, and says which. Then too the exit code is 0.
    """
    settings = settings_from(home=home)

    from pipeline.cli.operate.pipeline_state import lines_of, pipeline_state

    state = pipeline_state(settings)
    if json:
        print_json_line(state)
        return
    for line in lines_of(state):
        typer.echo(line)
