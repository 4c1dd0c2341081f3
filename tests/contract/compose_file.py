"""The content of the compose file, read without Docker: anchors and merge keys resolved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<how>[-?])(?P<words>[^}]*))?\}")


#: The parser in C, where it is installed: it is ten times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def loaded(file: Path) -> Any:
    """What a file in YAML says."""
    return yaml.load(file.read_text(), Loader=LOADER)  # noqa: S506 - it is a safe one


def compose() -> dict[str, Any]:
    """`docker-compose.yml` as it is written."""
    document: dict[str, Any] = loaded(ROOT / "docker-compose.yml")
    return document


def services(document: dict[str, Any], *, profiles: set[str]) -> dict[str, Any]:
    """The services that the profiles start ("Profiles" of the Compose Specification)."""
    return {
        name: service
        for name, service in document["services"].items()
        if not service.get("profiles") or profiles & set(service["profiles"])
    }


def filled(text: str, given: dict[str, str]) -> str:
    """`text` with its variables ("Interpolation" of the Compose Specification)."""

    def value(match: re.Match[str]) -> str:
        if given.get(match["name"]):
            return given[match["name"]]
        if match["how"] == "-":
            return match["words"]
        raise KeyError(match["words"] or match["name"])

    return VARIABLE.sub(value, text)
