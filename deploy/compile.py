"""`python -m deploy.compile`: compiles stages and codec unless that is done; needs a C compiler.

Only speed depends on it: without a compiler, or after a change of the sources, the Python form runs
(deploy/decisions/0070, 0077).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from deploy.install import say
from pipeline.compiled import BUILT, GROUP, ROOT, digest

PATTERNS: Final = (
    "sms/**/*.py",
    "stages/**/*.py",
    "wire/http_form.py",
    "wire/percent.py",
    "wire/ways.py",
    "avro/single_object.py",
    "conversation/tables.py",
    "conversation/agent.py",
    "conversation/commands.py",
    "conversation/forgetting.py",
    "conversation/handsets.py",
    "conversation/orders.py",
    "conversation/outbox.py",
    "conversation/parts.py",
    "engine/bounded_times.py",
    "engine/outputs.py",
    "engine/state/disk_store.py",
    "engine/state/tables.py",
    "kafka/murmur2.py",
    "directory/directory.py",
    "identity.py",
)
NATIVE: Final = "pipeline/avro/native.c"
SECONDS: Final = 600.0
_STRUCT: Final = "(msgspec.Struct"  # msgspec reads annotations that mypyc does not keep


def modules() -> list[str]:
    """The modules to compile, as paths from the root: those of `PATTERNS` that define no record."""
    pipeline = ROOT / "pipeline"
    found = (path for pattern in PATTERNS for path in sorted(pipeline.glob(pattern)))
    return [
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.name != "__init__.py" and _STRUCT not in path.read_text()
    ]


def build(folder: Path, scratch: Path) -> None:
    """Compile into `folder`; raises the errors of mypyc and of the C compiler."""
    from mypyc.build import mypycify
    from setuptools import Distribution, Extension

    extensions = mypycify(
        ["--config-file", "pyproject.toml", *modules()],
        opt_level="2",
        debug_level="0",
        group_name=GROUP,
        target_dir=str(scratch),
    )
    name = NATIVE.removesuffix(".c").replace("/", ".")
    extensions.append(Extension(name, [NATIVE], extra_compile_args=["-Wall", "-Wextra"]))
    command = Distribution({"name": GROUP, "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(folder), str(scratch)
    command.ensure_finalized()
    command.run()


def compile_now() -> str:
    """Compile in a separate process, then move the result into place as a whole.

    Returns why it was not compiled; empty if it was.
    """
    BUILT.mkdir(parents=True, exist_ok=True)
    place = BUILT / digest()
    with tempfile.TemporaryDirectory(dir=BUILT.parent, prefix="compiling-") as scratch:
        folder = Path(scratch) / "made"
        words = [sys.executable, "-X", "twoway=python", "-m", "deploy.compile", str(folder)]
        log = BUILT.parent / "compile.log"
        with log.open("wb") as output:
            try:
                status = subprocess.run(  # noqa: S603 - this module again
                    words, cwd=ROOT, stdout=output, stderr=output, timeout=SECONDS, check=False
                ).returncode
            except subprocess.TimeoutExpired:
                return f"it took more than {SECONDS:.0f} s"
        if status != 0:
            return f"see {log.relative_to(ROOT)}"
        if place != BUILT / digest():
            return "the sources changed meanwhile"
        for other in BUILT.iterdir():
            shutil.rmtree(other)
        folder.rename(place)
    return ""


def main() -> None:
    """Compile unless there is a compiled form of these sources."""
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[1]).parent)
        return
    if (BUILT / digest()).is_dir():
        return
    say("compiling the stages, half a minute to two minutes; without this the worker runs Python")
    began = time.monotonic()
    reason = compile_now()
    if reason:
        say(f"not compiled, {reason}; everything works, but a worker is slower")
    else:
        say(f"compiled in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
