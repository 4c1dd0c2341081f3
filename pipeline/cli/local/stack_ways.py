"""The processes of a local stack that have the gateway as their other end.

Those that fetch messages, each where its host is set; the sender, where apis.toml is there;
`deliver`, where the number directory has a reply path; and `accounts`, where it has an account or
had one, whose messages may be held.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.children import Program
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.cli.local.stack_settings import answers, answers_ready, settings_as_environment
from pipeline.kafka import readers
from pipeline.process.secret_settings import secrets_as_lines, settings_of
from pipeline.sender.apis.file import apis_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.settings import Settings

WAY_PROGRAMS: Final = ("smpp", "ftp")  # each with its setting NAME_host
SENDER_PROGRAM: Final = "sender"
DELIVER_PROGRAM: Final = "deliver"
ACCOUNTS_PROGRAM: Final = "accounts"
NUMBERS_NAME: Final = "numbers.toml"


def is_wanted(name: str, settings: Settings) -> bool:
    """Whether the stack has this process."""
    if name == SENDER_PROGRAM:
        return apis_file(settings).is_file()
    if name == DELIVER_PROGRAM:
        return _is_listed("reply_path", settings)
    if name == ACCOUNTS_PROGRAM:
        kept = settings.home / "state" / readers.ACCOUNTS
        return _is_listed("account", settings) or kept.is_dir()
    return bool(getattr(settings, f"{name}_host"))


def _is_listed(table: str, settings: Settings) -> bool:
    """Whether the number directory has such a table; one with mistakes, whether it looks so."""
    numbers = Path(settings.numbers or settings.home / NUMBERS_NAME)
    try:
        return bool(tomllib.loads(numbers.read_text()).get(table))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def programs_of_ways(
    settings: Settings,
    *,
    command: Callable[[str], Sequence[str]],
    log: Callable[[str], Path],
    needs: tuple[str, ...],
) -> list[Program]:
    """One program for each process that is wanted.

    A program counts as ready as soon as it runs, because the other host may be down for long.
    """
    found: list[Program] = []
    ports = {settings.http_port, settings.report_port, settings.metrics_port}
    for name in (*WAY_PROGRAMS, SENDER_PROGRAM, DELIVER_PROGRAM, ACCOUNTS_PROGRAM):
        if not is_wanted(name, settings):
            continue
        port = free_port(avoid=ports)
        ports.add(port)
        own = replace(settings_of(settings, name), metrics_host=LOOPBACK, metrics_port=port)
        found.append(
            Program(
                name=name,
                command=partial(command, name),
                environment=settings_as_environment(own),
                given=secrets_as_lines(own).encode(),
                log=log(name),
                is_ready=partial(answers_ready, LOOPBACK, port, path="/healthz"),
                is_alive=partial(answers, LOOPBACK, port),
                needs=needs,
            )
        )
    return found
