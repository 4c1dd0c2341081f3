"""`python -m deploy.compile`: compile stages and codec, if they are not; a C compiler is needed.

Nothing depends on it but speed: without a compiler, or with other sources than were compiled, the
Python runs (deploy/decisions/0070, 0077).
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
    "conversation/bounded_times.py",
    "conversation/commands.py",
    "conversation/handsets.py",
    "conversation/orders.py",
    "conversation/outbox.py",
    "conversation/parts.py",
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
    """The modules to compile, as paths from the root: of those above, all that define no record."""
    pipeline = ROOT / "pipeline"
    found = (path for pattern in PATTERNS for path in sorted(pipeline.glob(pattern)))
    return [
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.name != "__init__.py" and _STRUCT not in path.read_text()
    ]


def build(folder: Path, scratch: Path) -> None:
    """Compile into `folder`; raises what mypyc and the C compiler raise."""
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
    """Compile in a process of its own and put it in place whole; why not, or empty."""
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
    """Compile unless what is there is of these sources."""
    if len(sys.argv) > 1:
        build(Path(sys.argv[1]), Path(sys.argv[1]).parent)
        return
    if (BUILT / digest()).is_dir():
        return
    say("compiling the stages, half a minute to two; without them the worker runs their Python")
    began = time.monotonic()
    reason = compile_now()
    if reason:
        say(f"not compiled, {reason}; everything works, a worker does less a second")
    else:
        say(f"compiled in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
