"""Mistakes in the use of commands: each is refused, and the words say what to do."""

from __future__ import annotations

import pytest

from tests.support.rented_numbers import ANN

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

WHY = ("--reason", "Asked by letter.", "--by", "anna")
UNRENTED = "12345678"
CANNOT_BE_SENT_TO = ("07700905006", "4477", "0044", "+0 7700 900 001", "12345678901234567")


def stopped_of(outside, handset) -> list[str]:
    query = "SELECT scope FROM consent_change WHERE handset = {h:String} AND state = 'stopped'"
    return [row["scope"] for row in outside.sql(query, h=handset)]


@pytest.mark.parametrize("command", ["stop", "open"])
def test_a_number_that_nobody_rents_is_refused_unless_forced(outside, handset, command):
    refused = outside.running.cli(command, handset, UNRENTED, *WHY, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "is not in the directory of numbers" in refused.stderr
    assert stopped_of(outside, handset) == []


def test_a_file_of_stops_for_a_number_that_nobody_rents_is_wrong_unless_forced(
    outside, handset, tmp_path
):
    file = tmp_path / "stops.csv"
    file.write_text(f"handset,number,reason\n{handset},{UNRENTED},x\n{handset},{ANN},y\n")
    done = outside.running.cli("stops", "import", str(file), check=False)
    assert (done.returncode, done.stdout) == (1, "1 stops are ordered\n")
    assert f"line 2: the number {UNRENTED} is not in the directory of numbers" in done.stderr
    outside.rows("consent_change", handset)
    assert stopped_of(outside, handset) == [ANN]
    forced = outside.running.cli("stops", "import", str(file), "--force")
    assert forced.stdout == "2 stops are ordered\n"
    outside.rows("consent_change", handset, at_least=2)
    assert sorted(stopped_of(outside, handset)) == sorted([ANN, UNRENTED])


@pytest.mark.parametrize(
    ("words", "handset"),
    [
        pytest.param(words, handset, id=f"{words[0]}-{handset}")
        for words, handsets in (
            (("stop", "{}", ANN, *WHY), CANNOT_BE_SENT_TO),
            (("mt", "--to", "{}", "--from", ANN, "--text", "x"), CANNOT_BE_SENT_TO),
            (("open", "{}", ANN, *WHY), CANNOT_BE_SENT_TO[:1]),
            (("why", "{}"), CANNOT_BE_SENT_TO[:1]),
            (("forget", "{}", "--reason", "x"), CANNOT_BE_SENT_TO[:1]),
        )
        for handset in handsets
    ],
)
def test_a_handset_that_cannot_be_sent_to_is_refused_alike(outside, words, handset):
    said = outside.running.cli(*(word.format(handset) for word in words), check=False)
    assert said.returncode == 2
    assert said.stdout == ""
    assert f"the handset '{handset}' cannot be sent to" in said.stderr


def test_a_file_of_stops_takes_00_and_refuses_what_cannot_be_sent_to(outside, handset, tmp_path):
    national, other = outside.new_handset().replace("44", "0", 1), outside.new_handset()
    lines = [f"00{handset};{ANN};x", f"{national};{ANN};x", f"+{other};{ANN};x"]
    file = tmp_path / "stops.csv"
    file.write_bytes("\r".join(["handset;number;reason", *lines]).encode("utf-16"))
    done = outside.running.cli("stops", "import", str(file), check=False)
    assert (done.returncode, done.stdout) == (1, "2 stops are ordered\n")
    assert done.stderr.startswith("line 3: the handset cannot be sent to")
    for each in (handset, other):
        outside.rows("consent_change", each)
        assert stopped_of(outside, each) == [ANN]


@pytest.mark.parametrize(
    "words",
    [
        ("sql", "SELECT 1"),
        ("why", "447700900001"),
        ("review",),
        ("clock",),
        ("status",),
        ("stop", "447700900001", *WHY),
    ],
    ids=lambda words: words[0],
)
def test_a_home_where_no_stack_runs_gets_nobody_elses_answer(outside, tmp_path, words):
    """The suite's stack listens meanwhile."""
    said = outside.running.cli(*words, "--home", str(tmp_path), check=False)
    assert (said.returncode, said.stdout) == (1, "")
    assert f"no stack runs under {tmp_path}" in said.stderr


@pytest.mark.parametrize(
    "words",
    [("SELECT 'a;b' AS text",), ("SELECT {t:String} AS text", "--param", "t=a;b")],
    ids=["in-the-statement", "as-a-parameter"],
)
def test_a_text_with_a_semicolon_can_be_asked_for(outside, words):
    assert outside.running.cli("sql", *words).stdout == '{"text":"a;b"}\n'
