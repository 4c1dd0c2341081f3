"""The compiled stages: used only for the sources they were made from, with equal results."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from msgspec import Struct

from deploy.compile import modules
from pipeline import compiled

ROOT = Path(__file__).parents[2]
GROUP_FILE = f"{compiled.GROUP}__mypyc{EXTENSION_SUFFIXES[0]}"
# The tests of all that is compiled.
FOLDERS = ("conversation", "directory", "engine", "sms", "stages", "wire")
CORE = (
    "tests/contract/test_partitions.py",  # of `kafka` only the hash of a key is compiled
    "tests/golden/test_parts.py",
    "tests/golden/test_consent.py",
    *(f"tests/{each}" for each in FOLDERS),
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one source and something compiled from it; no form is chosen yet."""
    (tmp_path / "pipeline" / "stages" / "gate").mkdir(parents=True)
    (tmp_path / "pipeline" / "stages" / "gate" / "judge.py").write_text("RULES = 8\n")
    monkeypatch.setattr(compiled, "ROOT", tmp_path)
    monkeypatch.setattr(compiled, "BUILT", tmp_path / "build")
    folder = tmp_path / "build" / compiled.digest()
    (folder / "pipeline" / "stages" / "gate").mkdir(parents=True)
    (folder / "pipeline" / "stages" / "gate" / f"judge{EXTENSION_SUFFIXES[0]}").touch()
    (folder / GROUP_FILE).touch()
    others = [each for each in sys.meta_path if not isinstance(each, compiled.Finder)]
    monkeypatch.setattr(sys, "meta_path", others)
    monkeypatch.setattr(sys, "_xoptions", {})
    return tmp_path


def test_what_was_compiled_of_these_sources_is_found(checkout: Path) -> None:
    compiled.prefer()
    assert compiled.form() == "compiled"
    (finder,) = (each for each in sys.meta_path if isinstance(each, compiled.Finder))
    found = finder.find_spec("pipeline.stages.gate.judge")
    assert found is not None
    assert Path(str(found.origin)).is_relative_to(checkout / "build")
    assert finder.find_spec("pipeline.stages.consent.decide") is None


@pytest.mark.parametrize("name", ["judge.py", "another.py", "another.c"])
def test_after_an_edit_the_python_runs(checkout: Path, name: str) -> None:
    (checkout / "pipeline" / "stages" / "gate" / name).write_text("RULES = 9\n")
    compiled.prefer()
    assert compiled.form() == "python"


def test_half_of_it_is_not_used(checkout: Path) -> None:
    (checkout / "build" / compiled.digest() / GROUP_FILE).unlink()
    compiled.prefer()
    assert compiled.form() == "python"


def test_the_python_runs_where_it_is_asked_for(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_xoptions", {"twoway": "python"})
    compiled.prefer()
    assert compiled.form() == "python"


def test_no_class_that_msgspec_reads_is_compiled() -> None:
    """msgspec reads a field's type from the annotation; compiled classes do not keep all of it."""
    names = [name.removesuffix(".py").replace("/", ".") for name in modules()]
    assert "pipeline.stages.parts.normalise" in names
    classes = [each for name in names for each in vars(import_module(name)).values()]
    read = [each for each in classes if isinstance(each, type) and issubclass(each, Struct)]
    assert read  # the records they import
    assert not {each.__module__ for each in read} & set(names)


@pytest.mark.skipif(compiled.form() == "python", reason="this run itself is of the Python form")
def test_without_a_compiler_everything_decides_alike() -> None:
    """A separate process: a process cannot change its form. This run has the compiled form."""
    python = [sys.executable, "-X", "twoway=python", "-m", "pytest", "-p", "no:cacheprovider"]
    words = [*python, "-q", "-m", "not broker", *CORE]
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]


@pytest.mark.skipif(not os.environ.get("CI"), reason="after an edit one may test the Python alone")
def test_what_a_change_must_pass_is_of_the_compiled_form() -> None:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler: the tests of the compiled form do not run")
    assert compiled.form() == "compiled"
