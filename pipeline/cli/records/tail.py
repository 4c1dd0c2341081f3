"""`tail`: what happens, line by line, as it happens."""

import os
import sys
from typing import Annotated, Final

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say

#: As a shell has it for a program that SIGINT ended.
EXIT_CTRL_C: Final = 130


def tail(
    handset: Annotated[
        str, typer.Option(metavar="HANDSET", help="This handset alone, in full.")
    ] = "",
    number: Annotated[str, typer.Option(metavar="NUMBER", help="This number of ours alone.")] = "",
    text: Annotated[
        str, typer.Option(metavar="WORDS", help="Messages with these words in their text.")
    ] = "",
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="KIND",
            help="in, out, refused, state, consent or letter; repeatable. Default: all.",
        ),
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start at the oldest record, not at new ones.")
    ] = False,
    maximum: Annotated[
        int | None, typer.Option("--max", min=1, metavar="N", help="Stop after N lines.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Show handsets in full, not with their middle left out.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Show messages, commands, their states and changes of consent as they come.

    It reads Kafka, so it is ahead of the report. It ends with Ctrl-C, with --max lines, or once
    nobody reads its output. A handset's middle digits are left out, because the lines stay on the
    screen; --json has the records as `consume` has them, in full.
    """
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer
    from pipeline.cli.ask.reading import follow_topics, json_from_record
    from pipeline.cli.records.tail_lines import TOPIC_OF, TailFilter, line_from_record
    from pipeline.home.stack import bootstrap_of

    unknown = [each for each in only or () if each not in TOPIC_OF]
    if unknown:
        raise CommandError(f"--only {unknown[0][:64]!r} is none of {', '.join(TOPIC_OF)}")
    wanted = TailFilter(handset=handset, number=number, text=text)
    topics = [TOPIC_OF[each] for each in only or TOPIC_OF]
    said = 0
    try:
        with open_consumer(bootstrap_of(settings)) as consumer:
            for record in follow_topics(
                consumer, topics, from_beginning=from_beginning, is_over=is_read_by_nobody
            ):
                line = line_from_record(record, wanted, is_full=full)
                if line is None:
                    continue
                if json:
                    print_json_line(json_from_record(record))
                else:
                    say(line)
                said += 1
                if said == maximum:
                    return
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_CTRL_C) from None
    except BrokenPipeError:
        # What is buffered for the pipe is lost: Python would complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def is_read_by_nobody() -> bool:
    """Whether the other end of standard output's pipe is closed (poll(2): POLLERR)."""
    import select

    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except OSError:
        return False  # it is no file: a test reads it
    return any(event & select.POLLERR for _, event in poll.poll(0))
