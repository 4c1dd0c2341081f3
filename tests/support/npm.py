"""Packages of npm that a few tests use, if somebody installed them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

NODE: Final = shutil.which("node") or ""
#: Where `npm install` was run.
NPM_FOLDER: Final = Path(os.environ.get("TWOWAY_TEST_NPM", "build/npm")).resolve()


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skips a test where node or the package is missing, and says how to get it."""
    return pytest.mark.skipif(
        not NODE or not (NPM_FOLDER / "node_modules" / name).is_dir(),
        reason=f"not installed: npm install --prefix build/npm {name}",
    )
