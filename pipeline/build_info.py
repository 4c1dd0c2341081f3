"""Which version runs, and of which commit."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Final

from pipeline.compiled import ROOT

if TYPE_CHECKING:
    from pathlib import Path

COMMIT_FILE: Final = "COMMIT"  # written into an image, which has no checkout
UNKNOWN: Final = "unknown"
SHORT: Final = 12


def version() -> str:
    """The version of the installed package."""
    return version_of("twoway")


@cache
def built_commit(root: Path = ROOT) -> str:
    """The first 12 digits of the commit; `unknown` where neither an image nor git says it."""
    file = root / COMMIT_FILE
    try:
        found = file.read_text().strip() if file.is_file() else _commit_of_checkout(root / ".git")
    except OSError:
        found = ""
    return found[:SHORT] or UNKNOWN


def _commit_of_checkout(git: Path) -> str:
    """The commit of HEAD (gitrepository-layout(5)); raises `OSError` where there is none."""
    if git.is_file():  # of a work tree beside another
        git = git.parent / git.read_text().removeprefix("gitdir:").strip()
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref: "):
        return head
    ref = head.removeprefix("ref: ")
    common = git / "commondir"
    shared = git / common.read_text().strip() if common.is_file() else git
    if (shared / ref).is_file():
        return (shared / ref).read_text().strip()
    for line in (shared / "packed-refs").read_text().splitlines():
        digits, _, name = line.partition(" ")
        if name == ref:
            return digits
    return ""
