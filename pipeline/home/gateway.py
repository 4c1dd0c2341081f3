"""Where the gateway's stand-in of a home listens: what it wrote down, for the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY_NAME: Final = "gateway"


def note_gateway(home: Path, address: str) -> None:
    """Write down `http://host:port`, whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    draft = home / f"{GATEWAY_NAME}.new"
    draft.write_text(f"{address}\n")
    draft.replace(home / GATEWAY_NAME)


def find_gateway(home: Path) -> str:
    """What was written down; empty where nothing was."""
    try:
        return (home / GATEWAY_NAME).read_text().strip()
    except FileNotFoundError:
        return ""
