"""Finds programs of others; a test skips, with how to get the program, if it is absent."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import Any

import pytest

PATIENCE_SECONDS = 30.0
_PATH = f"{os.environ['PATH']}:/usr/sbin"


def tool(name: str, package: str) -> str:
    """The path of a program; skips the test if it is not installed."""
    path = shutil.which(name, path=_PATH)
    return path or pytest.skip(f"no {name}: apt-get install {package} (Debian)")


def module(name: str, package: str) -> Any:
    """A module of a package from PyPI; skips the test if it is not installed."""
    return pytest.importorskip(name, reason=f"no {name}: pip install {package}")


async def run(*command: str, given: bytes | None = None) -> str:
    """Run a program, which must end with 0; return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, err = await process.communicate(given)
    assert process.returncode == 0, err.decode()
    return out.decode()
