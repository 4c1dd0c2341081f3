"""`consume`: the records of a topic as JSON lines."""

from itertools import islice
from typing import Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.output import print_json_line


def _topics_from(incomplete: str) -> list[str]:
    """The topics of records that begin so, for a shell that completes."""
    from pipeline.kafka.topics import topics

    return [name for name, each in topics().items() if each.record and name.startswith(incomplete)]


def consume(
    topic: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC",
            help="One of the topics, such as mo-message.",
            autocompletion=_topics_from,
        ),
    ],
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start at the oldest record, not at new ones.")
    ] = False,
    maximum: Annotated[
        int | None, typer.Option("--max", min=1, metavar="N", help="Stop after N records.")
    ] = None,
    home: Home = None,
) -> None:
    """Print the committed records of a topic as lines of JSON.

    It ends with --max records or Ctrl-C. Times are ISO 8601 in UTC. Octets (octets, query, udh,
    key_octets, …) are lower-case hex. A record that cannot be read is shown with "unreadable" and
    its octets.
    """
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer
    from pipeline.cli.ask.reading import follow, json_from_record
    from pipeline.home.stack import bootstrap_of

    with open_consumer(bootstrap_of(settings)) as consumer:
        known = sorted(name for name in consumer.topics() if not name.startswith("__"))
        if topic not in known:
            raise CommandError(
                f"there is no topic {topic!r}; there are {', '.join(known) or 'none at all'}"
            )
        for record in islice(follow(consumer, topic, from_beginning=from_beginning), maximum):
            print_json_line(json_from_record(record))
