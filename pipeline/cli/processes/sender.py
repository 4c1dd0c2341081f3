"""`sender`: the process that sends commands."""

from pipeline.cli.terminal.options import Home, settings_from
from pipeline.process.loading import loading


def sender(home: Home = None) -> None:
    """Send commands to the gateway, by the APIs of apis.toml.

    The sender asks for each attempt: the worker checks consent once more, and permits or refuses.
    Start as many senders as the work needs, up to one for each partition.
    """
    settings = settings_from(home=home)
    with loading():
        from pipeline.sender import process

    process.run(settings)
