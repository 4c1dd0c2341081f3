"""Loads the compiled form of stages and codec, if `deploy/compile.py` made it of these sources.

The Python files remain the source. The compiled form is in a folder named by a digest of the
sources, so an outdated form is never loaded. Either all of it is loaded or nothing.
`python -X twoway=python` always runs the Python form (deploy/decisions/0070, 0077).
"""

from __future__ import annotations

import hashlib
import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parent.parent
BUILT: Final = ROOT / "build" / "compiled"
_SUFFIXES: Final = frozenset({".py", ".c"})
GROUP: Final = "twoway"
PYTHON_ONLY: Final = "python"  # of the option -X twoway
#: Packages that are compiled, and packages whose sources the compiler reads for that.
_PACKAGES: Final = (
    "avro",
    "conversation",
    "directory",
    "engine",
    "kafka",
    "records",
    "sms",
    "stages",
    "wire",
)


def digest() -> str:
    """32 hex digits of all sources that the compiled form depends on."""
    found = hashlib.blake2b(digest_size=16)
    top = ROOT / "pipeline"
    folders = [top / package for package in _PACKAGES]
    within = [path for folder in folders for path in folder.rglob("*") if path.suffix in _SUFFIXES]
    for path in sorted((*top.glob("*.py"), *within)):
        octets = path.read_bytes()
        name = path.relative_to(ROOT).as_posix()
        found.update(f"{name} {len(octets)} ".encode() + octets)
    return found.hexdigest()


class Finder:
    """Finds the compiled modules of a folder, before Python finds their sources."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: object = None
    ) -> ModuleSpec | None:
        """The import specification of a compiled module; None for any other module."""
        path = self._files.get(name)
        if path is None:
            return None
        return spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))


def files_in(folder: Path) -> dict[str, Path]:
    """The compiled modules for this interpreter in a folder, by their dotted names."""
    suffix = EXTENSION_SUFFIXES[0]
    return {
        path.relative_to(folder).as_posix().removesuffix(suffix).replace("/", "."): path
        for path in folder.rglob(f"*{suffix}")
    }


def prefer() -> None:
    """Make imports use the compiled form, if it exists for these sources."""
    options = sys._xoptions  # noqa: SLF001 - the documented name of the options after -X
    if options.get("twoway") == PYTHON_ONLY or not BUILT.is_dir():
        return
    files = files_in(BUILT / digest())
    if f"{GROUP}__mypyc" in files:
        sys.meta_path.insert(0, Finder(files))


def form() -> str:
    """The form that runs: `compiled` or `python`."""
    return "compiled" if any(isinstance(each, Finder) for each in sys.meta_path) else "python"
