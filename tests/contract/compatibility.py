"""Whether a reader with one schema can read what another schema wrote, by our rules.

The rules are narrower than Avro's "Schema Resolution": fields may be added, with a default, and
nothing else but the words may change. `python -m tests.contract.compatibility OLD.avsc NEW.avsc`
prints what is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MISSING: Any = object()


def problems(older: Any, newer: Any, path: str = "") -> list[str]:
    """Why a reader with `newer` cannot read what `older` wrote; empty if it can."""
    match older, newer:
        case {"type": "record"}, {"type": "record"}:
            return _record_problems(older, newer, path or newer["name"])
        case {"type": "array", "items": before}, {"type": "array", "items": after}:
            return problems(before, after, f"{path}[]")
        case [*before], [*after] if len(before) == len(after):
            pairs = zip(before, after, strict=True)
            return [problem for old, new in pairs for problem in problems(old, new, path)]
        case _:
            return [] if older == newer else [f"{path}: was {older}, is {newer}"]


def _record_problems(older: dict[str, Any], newer: dict[str, Any], path: str) -> list[str]:
    found = [
        f"{path}: {word} was {older.get(word)}, is {newer.get(word)}"
        for word in ("name", "namespace")
        if older.get(word) != newer.get(word)
    ]
    before = {field["name"]: field for field in older["fields"]}
    after = {field["name"]: field for field in newer["fields"]}
    found += [f"{path}.{name}: is gone" for name in before if name not in after]
    for name, field in after.items():
        if name not in before:
            if "default" not in field:
                found.append(f"{path}.{name}: is new and has no default")
            continue
        found += problems(before[name]["type"], field["type"], f"{path}.{name}")
        if before[name].get("default", MISSING) != field.get("default", MISSING):
            found.append(f"{path}.{name}: its default is another")
    return found


if __name__ == "__main__":
    one, other = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    wrong = problems(one, other)
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.exit(bool(wrong))
