"""`status`: how far each partition is, and what is down."""

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say


def status(json: Json = False, home: Home = None) -> None:
    """Show how far each partition is, and what is down.

    Lag, time and oldest confirmation due of each partition; last MO of each number; dead letters;
    commands that wait, are permitted, or of which nobody knows what became; which processes wait
    for an operator, or end again and again, and why.
    Works when parts are down, and says which; the exit code is 0 as long as it could ask.
    """
    settings = settings_from(home=home)

    from pipeline.cli.operate.pipeline_state import lines_of_state, pipeline_state

    state = pipeline_state(settings)
    if json:
        print_json_line(state)
        return
    for line in lines_of_state(state):
        say(line)
