"""`numbers load` and `numbers check`: the directory of rented numbers."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.records import Numbers
    from pipeline.settings import Settings

NumbersFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The directory, in the form of numbers.toml.")
]


def numbers_from_file(file: Path, *, account: str, loaded_at: datetime) -> "Numbers":
    """The directory in `file`, checked as a whole; raises `CommandError` with line and field."""
    from pipeline.directory.directory import NumbersError, numbers_from_toml

    try:
        text = file.read_text(encoding="utf-8-sig")  # Windows editors write a mark first
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file}: not UTF-8 at octet {error.start}") from error
    try:
        return numbers_from_toml(
            text, origin=str(file), loaded_at=loaded_at, default_account=account
        )
    except NumbersError as error:
        raise CommandError(str(error)) from error


def publish_numbers(settings: "Settings", numbers: "Numbers") -> int:
    """Write the directory to each partition of its topic; returns the number of partitions."""
    from pipeline.cli.ask.broker import Outgoing, open_consumer, publish
    from pipeline.home.stack import bootstrap_of
    from pipeline.kafka import topics

    bootstrap = bootstrap_of(settings)
    with open_consumer(bootstrap) as consumer:
        partitions = sorted(consumer.partitions_for_topic(topics.NUMBERS))
    if not partitions:
        raise CommandError(
            f"the broker at {bootstrap} has no topic {topics.NUMBERS}: is it Two-way's?"
        )
    publish(
        bootstrap,
        (Outgoing(topic=topics.NUMBERS, record=numbers, partition=each) for each in partitions),
    )
    return len(partitions)


def check(file: NumbersFile, home: Home = None) -> None:
    """Check a directory. This changes nothing."""
    from pipeline.cli.terminal.local import clock_of

    settings = settings_from(home=home)
    numbers = numbers_from_file(file, account=settings.account, loaded_at=clock_of(settings).now())
    say(f"{file} is correct: {summary_of(numbers)}")


def load(file: NumbersFile, home: Home = None) -> None:
    """Check a directory and put it in force.

    A wrong directory is refused, and the old one stays in force. The directory goes to the workers
    through Kafka, one record for each partition. A partition uses it from that record on.
    """
    from pipeline.cli.terminal.local import clock_of

    settings = settings_from(home=home)
    numbers = numbers_from_file(file, account=settings.account, loaded_at=clock_of(settings).now())
    partitions = publish_numbers(settings, numbers)
    say(f"{file} is in force: {summary_of(numbers)}, written to {partitions} partitions")


def summary_of(numbers: "Numbers") -> str:
    """The size of a directory, in words."""
    return f"{len(numbers.numbers)} numbers and ranges, {len(numbers.sender_ids)} sender IDs"
