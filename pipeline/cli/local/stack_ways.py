"""The processes of a local stack that have the gateway as their other end.

Those that fetch messages, each where its host is set; the sender, where apis.toml is there; and
`deliver`, where the number directory has a reply path.
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
from pipeline.process.secret_settings import secrets_as_lines, settings_of
from pipeline.sender.apis.file import apis_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.settings import Settings

WAY_PROGRAMS: Final = ("smpp", "ftp")  # each with its setting NAME_host
SENDER_PROGRAM: Final = "sender"
DELIVER_PROGRAM: Final = "deliver"
NUMBERS_NAME: Final = "numbers.toml"


def is_wanted(name: str, settings: Settings) -> bool:
    """Whether the stack has this process."""
    if name == SENDER_PROGRAM:
        return apis_file(settings).is_file()
    if name == DELIVER_PROGRAM:
        return _has_reply_path(Path(settings.numbers or settings.home / NUMBERS_NAME))
    return bool(getattr(settings, f"{name}_host"))


def _has_reply_path(numbers: Path) -> bool:
    """Whether the file has one; of a file with mistakes, whether it looks so."""
    try:
        return bool(tomllib.loads(numbers.read_text()).get("reply_path"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def programs_of_ways(
    settings: Settings,
    *,
    command: Callable[[str], Sequence[str]],
    log: Callable[[str], Path],
    needs: tuple[str, ...],
) -> list[Program]:
    """One program for each way whose host is set.

    A program counts as ready as soon as it runs, because the other host may be down for long.
    """
    found: list[Program] = []
    ports = {settings.http_port, settings.report_port, settings.metrics_port}
    for name in (*WAY_PROGRAMS, SENDER_PROGRAM, DELIVER_PROGRAM):
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
