"""Prints lines for people and programs.

What a handset or a peer said cannot act on the terminal.
"""

from __future__ import annotations

import re
from typing import Final

import typer

#: Controls but tab and line end (ECMA-48: ESC and U+009B begin sequences that move the cursor, set
#: the title or the clipboard), halves of a surrogate pair, and what turns the direction of writing
#: (UAX #9 2). Marks and joiners that only help a neighbour stay.
_ACTS: Final = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

#: Erase all, and go to the first place (ECMA-48 8.3.39, 8.3.21).
CLEARED: Final = "\x1b[2J\x1b[H"


def clear_screen() -> None:
    """Begin a terminal's screen anew."""
    typer.echo(CLEARED, nl=False)


def say(words: str, *, err: bool = False) -> None:
    """Print a line on stdout, or on stderr; each character that would act is shown as `\\u001b`.

    That is how JSON escapes it: a line of JSON says the same afterwards.
    """
    typer.echo(_ACTS.sub(_escaped, words), err=err)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
