"""The demo's own stack: `twoway up --gateway` as a child process, ended with the demo."""

from __future__ import annotations

import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pipeline.cli.ask.waiting import ProgressDeadline, pause
from pipeline.cli.demo.children import start_twoway
from pipeline.cli.terminal.failure import CommandError
from pipeline.gateway.files import where
from pipeline.home.stack import Stack, find_stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TextIO

START_SECONDS: Final = 180  # without a word from `up`; the first start fetches Kafka
STOP_SECONDS: Final = 20
LOG_NAME: Final = "demo-up.log"
READY_NAME: Final = "demo-ready.json"
FREE_PORTS: Final = ("--http-port", "0", "--report-port", "0", "--kafka-port", "0")


@contextmanager
def running_stack(home: Path, *, say: Callable[[str], None]) -> Iterator[Stack]:
    """The stack of `home`: one that runs already, or a new one, which ends with the block."""
    found = find_stack(home)
    if found is not None:
        if not where(home):
            raise CommandError(
                f"a stack without the stand-in runs under {home}: end it, or name another --home"
            )
        say(f"a stack runs under {home} already; playing on it")
        yield found
        return
    log = home / LOG_NAME
    ready = home / READY_NAME
    ready.unlink(missing_ok=True)
    words = ("up", "--gateway", "--ready-file", str(ready), *FREE_PORTS)
    child = start_twoway(*words, home=home, log=log)
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            _wait_until_ready(child, ready=ready, words=lines, log=log, say=say)
        stack = find_stack(home)
        if stack is None:
            raise CommandError(f"the stack was ready and then ended: see {log}")
        yield stack
    finally:
        _stop(child, say=say)


def _wait_until_ready(
    child: subprocess.Popen[bytes],
    *,
    ready: Path,
    words: TextIO,
    log: Path,
    say: Callable[[str], None],
) -> None:
    """Pass on the output of `up` until its ready file exists."""
    patience = ProgressDeadline(seconds=START_SECONDS)
    said = 0
    while True:
        is_ready = ready.is_file()
        status = child.poll()
        for line in words:
            said += 1
            say(f"up: {line.rstrip()}")
        if is_ready:
            return
        if status is not None:
            raise CommandError(f"`twoway up` ended with {status} before it was ready: see {log}")
        patience.saw(said)
        if patience.is_over():
            raise CommandError(
                f"`twoway up` was not ready and said nothing for {START_SECONDS} s: see {log}"
            )
        pause()


def _stop(child: subprocess.Popen[bytes], *, say: Callable[[str], None]) -> None:
    """Stop the stack as Ctrl-C does; its data stay."""
    if child.poll() is not None:
        return
    say("stopping the stack")
    child.send_signal(signal.SIGINT)
    try:
        child.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        raise CommandError(
            f"the stack did not end within {STOP_SECONDS} s and was killed"
        ) from None
