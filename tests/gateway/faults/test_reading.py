"""`faults.toml`: the rules that it may have, and errors that name the line and the field."""

from datetime import UTC, datetime

import pytest

from pipeline.gateway.faults.kinds import BY_NAME, KINDS
from pipeline.gateway.faults.reading import UnusableFaults, rules_from

WHOLE = """
# The third message to a British handset is taken, and its answer lost.
[[fault]]
do = "lose-answer"
way = "http"
handset = "44*"
nth = 3

[[fault]]
do = "cut-answer"
octets = 10
share = 0.5

[[fault]]
do = "refuse"
code = "105"

[[fault]]
do = "throttle"
until = 2026-11-28T12:00:00Z

[[fault]]
do = "mo-late"
way = "http-post"
minutes = 5
"""


def test_each_table_is_a_rule_in_its_order():
    rules = rules_from(WHOLE, origin="faults.toml")
    assert [rule.name for rule in rules] == [
        "lose-answer",
        "cut-answer",
        "refuse",
        "throttle",
        "mo-late",
    ]
    first, second, third, fourth, last = rules
    assert (first.way, first.handset, first.nth, first.share) == ("http", "44*", 3, 1.0)
    assert (second.octets, second.share) == (10, 0.5)
    assert third.code == "105"
    assert fourth.until == datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert (last.way, last.minutes) == ("http-post", 5)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_fault_can_be_written_for_each_of_its_ways(kind):
    more = 'code = "105"\n' if kind.name == "refuse" else ""
    for way in kind.ways:
        text = f'[[fault]]\ndo = "{kind.name}"\nway = "{way}"\n{more}'
        (rule,) = rules_from(text, origin="x")
        assert rule.kind is kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_fault_is_refused_for_a_way_that_does_not_play_it(kind):
    for way in {"http", "xml", "soap", "smpp", "smtp", "ftp", "com", ""} - set(kind.ways):
        with pytest.raises(UnusableFaults, match=r"^x:3: way: must be one of "):
            rules_from(f'[[fault]]\ndo = "{kind.name}"\nway = "{way}"\n', origin="x")


def table(line: str, do: str = "lose-answer") -> str:
    """A file with two tables whose seventh line, in the second table, is `line`."""
    return f'[[fault]]\ndo = "html"\n\n\n[[fault]]\ndo = "{do}"\n{line}\n'


MISTAKES = {
    "nth of no message": ("nth = 0", "nth: must be a whole number from 1"),
    "nth in words": ('nth = "third"', "nth: must be a whole number"),
    "nth that is true": ("nth = true", "nth: must be a whole number"),
    "share of nothing": ("share = 0", "share: must be a number above 0, at most 1"),
    "share of more than all": ("share = 1.5", "share: must be a number"),
    "share that is no number": ("share = nan", "share: must be a number"),
    "handset without quotes": ("handset = 447700900001", "handset: must be digits in quotes"),
    "handset in words": ('handset = "Ann"', "handset: must be digits in quotes"),
    "a field of another fault": ("octets = 4", "octets: is not known of lose-answer"),
    "a field of none": ("colour = 4", "colour: is not known of lose-answer"),
}


@pytest.mark.parametrize(("line", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_by_line_and_field(line, words):
    with pytest.raises(UnusableFaults) as caught:
        rules_from(table(line), origin="faults.toml")
    assert str(caught.value).startswith(f"faults.toml:7: {words}")


OF_ONE = {
    "octets below 0": ("cut-answer", "octets = -1", "octets: must be a whole number from 0"),
    "octets too many": ("huge", "octets = 100000001", "octets: must be a whole number"),
    "seconds for ever": ("hang", "seconds = inf", "seconds: must be a number from 0"),
    "days too many": ("status-late", "days = 32", "days: must be a number from 0 to 31"),
    "minutes in words": ("mo-late", 'minutes = "5"', "minutes: must be a number"),
    "code without quotes": ("refuse", "code = 105", "code: must be three digits in quotes"),
    "code of two digits": ("refuse", 'code = "10"', "code: must be three digits in quotes"),
    "time without a zone": ("throttle", "until = 2026-11-28T12:00:00", "until: must be a time"),
    "handset before it is known": ("wrong-certificate", 'handset = "44*"', "handset: is not known"),
}


@pytest.mark.parametrize(("do", "line", "words"), OF_ONE.values(), ids=OF_ONE)
def test_a_mistake_of_one_fault_is_named_too(do, line, words):
    with pytest.raises(UnusableFaults) as caught:
        rules_from(table(line, do), origin="f")
    assert str(caught.value).startswith(f"f:7: {words}")


WHOLES = {
    "no TOML": ("[[fault]]\ndo = \n", "f:2: "),
    "no end": ('[[fault]]\ndo = "html', "f:2: "),
    "too many brackets": ("a = " + "[" * 100_000, "f: is nested too deeply"),
    "another table": ('[[fault]]\ndo = "html"\n[[rule]]\n', "f:3: rule: is not known here"),
    "a key outside": ('seed = 1\n[[fault]]\ndo = "html"\n', "f:1: seed: is not known here"),
    "no table of tables": ('[fault]\ndo = "html"\n', "f:1: fault: must be tables"),
    "no do": ('[[fault]]\nway = "http"\n', "f:1: do: must be one of lose-answer, "),
    "a do there is not": ('[[fault]]\ndo = "lie"\n', "f:2: do: must be one of "),
    "a refusal without code": ('[[fault]]\ndo = "refuse"\n', "f:1: code: is required"),
    "twice how long": (
        '[[fault]]\ndo = "throttle"\nseconds = 1\nuntil = 2026-11-28T12:00:00Z\n',
        "f:4: until: or seconds, not both",
    ),
}


@pytest.mark.parametrize(("text", "words"), WHOLES.values(), ids=WHOLES)
def test_what_is_no_file_of_rules_is_refused(text, words):
    with pytest.raises(UnusableFaults) as caught:
        rules_from(text, origin="f")
    assert str(caught.value).startswith(words)


def test_an_empty_file_has_no_rules():
    assert rules_from("# nothing\n", origin="f") == []


def test_each_fault_has_a_name_and_a_handset_of_its_own():
    assert len(BY_NAME) == len(KINDS) == len({kind.handset for kind in KINDS})
    assert {len(kind.handset) for kind in KINDS} == {12}
