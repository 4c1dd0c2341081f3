"""`sender`: the process that sends commands."""

from pipeline.cli.terminal.options import Home, settings_from


def sender(home: Home = None) -> None:
    """Send commands to the gateway, by the APIs of apis.toml.

    Each attempt is asked for first: the worker looks at consent once more and permits it, or not.
    Start as many as there is work for, up to one a partition.
    """
    settings = settings_from(home=home)
    from pipeline.sender import process

    process.run(settings)
