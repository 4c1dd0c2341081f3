"""The command line in this process: a process of its own takes half a second of the processor.

For tests whose point is what a command says and does; `run_cli` starts the process. So a test calls
`phone`, whose thread goes on to listen until its process ends.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING
from unittest import mock

from pipeline.cli import main as command_line
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def run_here(
    *words: str,
    home: Path,
    settings: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
) -> subprocess.CompletedProcess[str]:
    """`twoway *words` as `run_cli` runs it, but in this process."""
    said, complained = _text(), _text()
    environment = environment_without_settings(settings) | {"TWOWAY_HOME": str(home)}
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(sys, "argv", ["twoway", *words]),
        mock.patch.object(sys, "stdin", _text(stdin)),
        redirect_stdout(said),
        redirect_stderr(complained),
    ):
        code = _code()
    done = subprocess.CompletedProcess(words, code, _read(said), _read(complained))
    if check:
        assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stderr}"
    return done


def _code() -> int:
    """The exit code; an exception that nobody expects is printed, as the interpreter does."""
    try:
        command_line.main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def _text(given: str = "") -> io.TextIOWrapper:
    """A text stream over octets: some commands write octets."""
    return io.TextIOWrapper(io.BytesIO(given.encode()), encoding="utf-8", write_through=True)


def _read(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]  # BytesIO, as made above
