"""Prints some of the pinned packages of a file of requirements, with their hashes.

python deploy/pinned.py deploy/requirements/dev.txt --only aiosmtpd pyftpdlib
python deploy/pinned.py deploy/requirements/runtime.txt --without chdb chdb-core

It uses only the standard library, because it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_NAME: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


def packages_of(text: str) -> dict[str, str]:
    """The lines of each package; one that is pinned twice, by markers, has the lines of both."""
    found: dict[str, str] = {}
    starts = list(_NAME.finditer(text))
    ends = [each.start() for each in starts[1:]] + [len(text)]
    for start, end in zip(starts, ends, strict=True):
        found[start[1]] = found.get(start[1], "") + text[start.start() : end]
    return found


def chosen(text: str, *, only: Collection[str], without: Collection[str]) -> Iterator[str]:
    """The lines of the packages that are asked for; raises `KeyError` for one that is not there."""
    packages = packages_of(text)
    for name in (*only, *without):
        packages[name]
    for name, lines in packages.items():
        if name not in without and (not only or name in only):
            yield lines


def main() -> None:
    """Print them."""
    parser = argparse.ArgumentParser(prog="python deploy/pinned.py")
    parser.add_argument("file", type=Path)
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--without", nargs="*", default=[], metavar="NAME")
    given = parser.parse_args()
    try:
        lines = chosen(given.file.read_text(), only=given.only, without=given.without)
        sys.stdout.write("".join(lines))
    except KeyError as error:
        sys.exit(f"{given.file} pins no package {error}")


if __name__ == "__main__":
    main()
