"""The processes of a local stack: what runs each, and how it is asked whether it is ready."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pipeline.cli.local.children import Program
from pipeline.cli.local.ports import LOOPBACK
from pipeline.cli.local.stack_settings import (
    answers,
    answers_ready,
    settings_as_environment,
    where_to_call,
    with_name,
)
from pipeline.cli.local.stack_ways import programs_of_ways
from pipeline.process.secret_settings import secrets_as_lines, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.settings import Settings


def programs_of_stack(
    settings: Settings, *, log: Callable[[str], Path], needs: tuple[str, ...]
) -> list[Program]:
    """Ingest, worker and store, then the ways that are set; each starts after what it `needs`."""
    command = partial(command_line_of, home=settings.home)
    is_tls = bool(settings.tls_cert)
    is_report_tls = bool(settings.report_tls_cert)
    http_host = where_to_call(settings.http_host)
    report_host = where_to_call(settings.report_host)
    asks = {
        "ingest": partial(answers, http_host, settings.http_port, tls=is_tls),
        "worker": partial(answers, LOOPBACK, settings.metrics_port),
        "store": partial(answers, report_host, settings.report_port, tls=is_report_tls),
    }
    checks = {
        "ingest": partial(answers_ready, http_host, settings.http_port, tls=is_tls),
        "worker": partial(answers_ready, LOOPBACK, settings.metrics_port),
        "store": partial(answers_ready, report_host, settings.report_port, tls=is_report_tls),
    }
    ours = replace(settings, kafka="")  # they find it under the home, whose clock they follow
    own = {name: settings_of(ours, name) for name in checks}
    processes = [
        Program(
            name=name,
            command=partial(command, name),
            environment=settings_as_environment(with_name(own[name], name)),
            given=secrets_as_lines(own[name]).encode(),
            log=log(name),
            is_ready=check,
            is_alive=asks[name],
            needs=needs,
        )
        for name, check in checks.items()
    ]
    ways = programs_of_ways(ours, command=command, log=log, needs=needs)
    return [*processes, *ways]


def command_line_of(name: str, *, home: Path) -> Sequence[str]:
    # -P: a folder `pipeline` where the user happens to stand is not ours.
    return [sys.executable, "-P", "-m", "pipeline.cli.main", name, "--home", str(home)]
