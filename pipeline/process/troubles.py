"""Files in which a home's processes tell `twoway status` why they wait or ended.

`HOME/troubles/waits-PID.json` exists while a process waits for an operator. A line of
`HOME/troubles/ends.jsonl` has the last words of a process that could not go on.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

log: Final = logging.getLogger(__name__)
FOLDER: Final = "troubles"
ENDS: Final = "ends.jsonl"
MOST_ENDS_OCTETS: Final = 65_536
MOST_WORDS: Final = 400
RECENT_SECONDS: Final = 600.0


class _Here:
    """The folder for the troubles of this process, and its name; no folder in most tests."""

    folder: Path | None = None
    name = ""


def tell_in(home: Path, name: str) -> None:
    """Write the troubles of this process, called `name`, under `home` from now on."""
    _Here.folder, _Here.name = home / FOLDER, name


def reasons_of_partitions(waits_for: Mapping[int, str]) -> dict[str, str]:
    """Why partitions wait, by the words for each partition."""
    return {f"partition {partition}": words for partition, words in waits_for.items()}


def lines_of_waiting(waits_for: Mapping[int, str]) -> str:
    """Why partitions wait, a line each, as /readyz says it."""
    reasons = reasons_of_partitions(waits_for)
    return "\n".join(f"{where}: {words}" for where, words in reasons.items())


def tell_waits(reasons: Mapping[str, str]) -> None:
    """Write why this process waits; without reasons, remove the file."""
    folder = _Here.folder
    if folder is None:
        return
    file = folder / f"waits-{os.getpid()}.json"
    try:
        if not reasons:
            file.unlink(missing_ok=True)
            return
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".new")
        told = {where: words[:MOST_WORDS] for where, words in reasons.items()}
        draft.write_text(json.dumps({"name": _Here.name, "waits": told}))
        draft.replace(file)
    except OSError as error:
        log.warning("`status` cannot be told why this process waits: %s", error)


def tell_end(words: str) -> None:
    """Write the last words of this process."""
    folder = _Here.folder
    if folder is None:
        return
    told = {"at": time.time(), "name": _Here.name, "words": words[:MOST_WORDS]}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / ENDS
        if file.is_file() and file.stat().st_size > MOST_ENDS_OCTETS:
            file.replace(file.with_suffix(".1"))
        with file.open("a") as lines:
            lines.write(json.dumps(told) + "\n")
    except OSError as error:
        with suppress(OSError):  # the log may be on the same disk
            sys.stderr.write(f"`status` cannot be told why this process ends: {error}\n")


def waiting(home: Path) -> Iterator[tuple[str, str]]:
    """The name of each process of the home that waits for an operator, and why it waits."""
    for file in sorted((home / FOLDER).glob("waits-*.json")):
        if not _is_alive(int(file.stem.partition("-")[2])):
            continue
        try:
            told = json.loads(file.read_text())
        except (OSError, ValueError):
            continue
        for where, words in told["waits"].items():
            yield told["name"], f"{where} waits for an operator: {words}"


def ended(home: Path, *, now: float) -> Iterator[tuple[str, str]]:
    """The name of each process that ended by itself in the last ten minutes, and its last words."""
    try:
        lines = (home / FOLDER / ENDS).read_text().splitlines()
    except OSError:
        return
    last: dict[str, str] = {}
    times: dict[str, int] = {}
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:  # cut by a crash
            continue
        if now - told["at"] <= RECENT_SECONDS:
            last[told["name"]] = told["words"]
            times[told["name"]] = times.get(told["name"], 0) + 1
    minutes = RECENT_SECONDS / 60
    for name, words in last.items():
        count = times[name]
        yield name, f"ended {count} times in the last {minutes:.0f} minutes, the last: {words}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
