"""Which fault a message meets: the first rule that matches, by way, handset, nth and chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gateway.faults import MAGIC
from pipeline.gateway.faults.kinds import BY_NAME, KINDS, Group
from pipeline.gateway.faults.reading import rules_from
from pipeline.gateway.faults.rules import Faults

HANDSET = "447700900001"


def faults_of(text, seed=1):
    faults = Faults(seed)
    faults.use(rules_from(text, origin="x"))
    return faults


def met(faults, group=Group.ANSWER, way="http", handset=HANDSET):
    rule = faults.met(group, way, handset)
    return rule.name if rule else ""


def test_the_first_that_matches_is_met():
    text = '[[fault]]\ndo = "html"\nhandset = "44*"\n[[fault]]\ndo = "huge"\n'
    assert met(faults_of(text)) == "html"
    assert met(faults_of(text), handset="4915112345678") == "huge"


@pytest.mark.parametrize(
    ("pattern", "handset", "is_met"),
    [
        ("447700900001", HANDSET, True),
        ("44*", HANDSET, True),
        ("*1", HANDSET, True),
        ("4477009000?1", HANDSET, True),
        ("44", HANDSET, False),
        ("*2", HANDSET, False),
        ("44770090000", HANDSET, False),
        ("*", HANDSET, True),
        ("*", "4" * 21, False),
        ("44*", "44\n", False),
    ],
)
def test_a_pattern_is_of_the_whole_handset(pattern, handset, is_met):
    text = f'[[fault]]\ndo = "html"\nhandset = "{pattern}"\n'
    assert bool(met(faults_of(text), handset=handset)) is is_met


def test_a_way_is_one_way():
    faults = faults_of('[[fault]]\ndo = "html"\nway = "xml"\n')
    assert [met(faults, way=way) for way in ("http", "xml", "soap")] == ["", "html", ""]


@pytest.mark.parametrize(
    ("way", "expected"),
    [("http", ["mo-twice", "mo-twice", ""]), ("http-get", ["mo-twice", "", ""])],
)
def test_of_a_handsets_message_the_way_is_that_of_its_number(way, expected):
    faults = faults_of(f'[[fault]]\ndo = "mo-twice"\nway = "{way}"\n')
    ways = ("http-get", "http-post", "xml-get")
    assert [met(faults, Group.HANDSET, way) for way in ways] == expected


def test_the_nth_is_counted_of_those_that_match():
    faults = faults_of('[[fault]]\ndo = "html"\nhandset = "44*"\nnth = 2\n')
    handsets = [HANDSET, "4915112345678", "447700900002", HANDSET]
    assert [met(faults, handset=handset) for handset in handsets] == ["", "", "html", ""]


def test_groups_do_not_hide_each_other():
    faults = faults_of('[[fault]]\ndo = "status-twice"\n[[fault]]\ndo = "html"\n')
    assert [met(faults), met(faults, Group.STATUS), met(faults, Group.HANDSET)] == [
        "html",
        "status-twice",
        "",
    ]


@given(seed=st.integers(0, 2**32), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_chance_is_the_same_on_every_run(seed, share):
    """An earlier rule that matches other messages does not change the random numbers of a rule."""
    rule = f'[[fault]]\ndo = "html"\nway = "http"\nshare = {share}\n'
    other = '[[fault]]\ndo = "huge"\nway = "xml"\nshare = 0.5\n'
    first, second = faults_of(rule, seed), faults_of(rule, seed)
    runs = [[met(faults) for _ in range(50)] for faults in (first, second)]
    assert runs[0] == runs[1]
    mixed, plain = faults_of(rule + other, seed), faults_of(rule, seed)
    found = []
    for _ in range(50):
        met(mixed, way="xml")
        found.append(met(mixed))
        assert not met(plain, Group.STATUS)
    assert found == runs[0]


def test_a_share_is_about_that_share():
    faults = faults_of('[[fault]]\ndo = "html"\nshare = 0.25\n')
    count = sum(met(faults) == "html" for _ in range(4_000))
    assert 850 < count < 1_150  # nine standard deviations are 246


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_magic_handset_always_meets_its_fault(kind):
    faults = faults_of('[[fault]]\ndo = "html"\n[[fault]]\ndo = "status-twice"\n')
    for way in kind.ways:
        group = Group.ANSWER if kind.group is Group.CONNECTION else kind.group
        assert met(faults, group, way, kind.handset) == kind.name


def test_a_magic_handset_of_a_code_is_refused_by_it():
    rule = Faults(1).met(Group.REFUSAL, "http", f"{MAGIC}0105")
    assert (rule.name, rule.code) == ("refuse", "105")


def test_a_magic_handset_of_certificates_spoils_the_next_connection_alone():
    faults = Faults(1)
    assert faults.met_on_connection("http") is None
    assert met(faults, way="soap", handset=BY_NAME["wrong-certificate"].handset)
    assert faults.met_on_connection("smpp") is None
    assert faults.met_on_connection("http").name == "wrong-certificate"
    assert faults.met_on_connection("http") is None


def test_rules_of_connections_count_connections():
    faults = faults_of('[[fault]]\ndo = "wrong-certificate"\nway = "xml"\nnth = 2\n')
    found = [bool(faults.met_on_connection(way)) for way in ("http", "smpp", "http", "http")]
    assert found == [False, False, True, False]


def test_a_switch_is_for_the_ways_of_its_fault():
    faults = Faults(1)
    faults.named("html").switch(on=True)
    assert [met(faults, way=way) for way in ("http", "xml", "soap", "smpp", "smtp", "ftp")] == [
        "html",
        "html",
        "html",
        "",
        "",
        "",
    ]


def test_other_rules_replace_those_before():
    faults = faults_of('[[fault]]\ndo = "html"\n')
    faults.use([])
    assert met(faults) == ""
