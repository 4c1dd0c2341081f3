"""The long form runs every hostile test, and reports failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import __main__ as long_form

TOLD = """<testsuites><testsuite>
<testcase classname="a" name="one"/>
<testcase classname="a" name="two">
  <properties><property name="tried" value="3000"/></properties><failure message="x"/>
</testcase>
<testcase classname="a" name="three"><error message="x"/></testcase>
<testcase classname="a" name="four"><skipped/></testcase>
</testsuite></testsuites>"""


def test_every_file_is_in_a_row() -> None:
    named = [name for _, files in long_form.ROWS for name in files]
    assert sorted([*named, Path(__file__).name]) == sorted(
        path.name for path in long_form.HERE.glob("test_*.py")
    )


def test_what_was_tried_and_what_fell_is_counted() -> None:
    assert long_form.outcome_of(TOLD) == (3_002, ["a::two", "a::three"])


@pytest.mark.parametrize(
    ("body", "fell"),
    [("assert True", []), ("assert False", ["::test_it"]), ("return (", ["test_one"])],
    ids=["stands", "falls", "cannot-be-read"],
)
def test_a_test_that_falls_is_named(tmp_path: Path, body: str, fell: list[str]) -> None:
    test = tmp_path / "test_one.py"
    test.write_text(f"def test_it(record_property):\n    record_property('tried', 7)\n    {body}\n")
    report = tmp_path / "report.xml"
    tried, found, _ = long_form.run_row((str(test),), seed=1, scale=1, report=report)
    assert tried == (1 if fell == ["test_one"] else 7)
    assert len(found) == len(fell)
    assert all(name in each for name, each in zip(fell, found, strict=True))


def test_a_run_that_never_began_has_fallen(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    assert long_form.run_row((str(tmp_path / "none.py"),), seed=1, scale=1, report=report).fell
