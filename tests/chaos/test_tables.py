"""The checker finds tables that differ from the oracle, and databases from their changelog."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.stages.consent import row as consent_row
from tests.chaos.checker import Entry, Findings, Handset, Part, Played
from tests.chaos.tables import KIND, Change, Database, check_databases, check_tables, rows_up_to
from tests.support.assembling import Box
from tests.support.mo import HANDSET, callback, normalised

BOB = "447800000002"
DUE = bytes(8)
UDH = "060804010A0302"  # 3GPP TS 23.040 9.2.3.24.8: the second of three, reference 010A
SEEN, ASSEMBLIES, CONSENTS, REQUESTS = (bytes([number]) for number in range(1, 5))
REQUESTED = [Entry(0, 0, 0, SimpleNamespace(request_id="r1"))]


def played() -> Played:
    """The handset has stopped, and the second of three parts waits; Bob has sent nothing."""
    handset = Handset()
    for where, text, udh in (("0/0", b"STOP", ""), ("0/1", b"of three", UDH.lower())):
        part = Part(HANDSET, where, at=100, charset="ISO-8859-1", udh=udh, octets=text)
        handset.take(part, where, received=200)
    return Played(handsets={HANDSET: handset, BOB: Handset()})


def consent(handset: str, state: int) -> tuple[bytes, bytes]:
    published = [
        consent_row.Published(50, consent_row.OPEN, consent_row.OPEN),
        consent_row.Published(100, state, consent_row.OPEN),
    ]
    line = consent_row.Timeline("number", "447700900100", published=published)
    row = consent_row.HandsetConsent(handset=handset, timelines=[line])
    return CONSENTS + handset.encode(), DUE + consent_row.octets_from_consent(row)


def rows() -> dict[bytes, bytes]:
    """The rows that the changelog must have then."""
    box = Box()
    box.take(normalised(callback("of three", udh=UDH, mo_msg_id="2")))
    ((assembly_key, assembly),) = box.rows.items()
    return dict(
        [
            (b"\0", b"the point"),
            (SEEN + b"one", DUE),
            (SEEN + b"two", DUE),
            (ASSEMBLIES + assembly_key, DUE + assembly),
            consent(HANDSET, consent_row.DUE),
            (REQUESTS + b"r1", DUE),
        ]
    )


def found(rows: dict[bytes, bytes]) -> list[str]:
    findings = Findings()
    changes = [Change(0, number, *row) for number, row in enumerate(rows.items())]
    check_tables(findings, changes, played(), REQUESTED)
    assert findings.counts.total() == len(findings.words)
    return findings.words


def test_nothing_is_found_where_nothing_is_amiss():
    assert found(rows()) == []


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        pytest.param({SEEN + b"three": DUE}, "seen has 3 rows", id="a-part-seen-twice"),
        pytest.param({SEEN + b"two": None}, "seen has 1 rows", id="a-part-forgotten"),
        pytest.param({REQUESTS + b"r1": None}, "request b'r1' is missing", id="no-request"),
        pytest.param({REQUESTS + b"r2": DUE}, "request b'r2' is one", id="another-request"),
        pytest.param(
            dict([consent(HANDSET, consent_row.OPEN)]), "is missing", id="a-stop-forgotten"
        ),
        pytest.param(
            dict([consent(BOB, consent_row.STOPPED)]), "is one too many", id="a-stop-of-nobody"
        ),
        pytest.param({ASSEMBLIES: None}, "part that waits", id="an-assembly-lost"),
    ],
)
def test_a_table_that_differs_is_found(plant, words):
    planted = rows()
    for key, value in plant.items():
        if value is None:
            planted = {held: row for held, row in planted.items() if not held.startswith(key)}
        else:
            planted[key] = value
    (finding,) = found(planted)
    assert KIND in finding
    assert words in finding


CHANGES = [
    Change(0, 0, b"\1a", b"old"),
    Change(1, 1, b"\1a", b"elsewhere"),
    Change(0, 2, b"\1b", b"b"),
    Change(0, 5, b"\1a", b"new"),
    Change(0, 6, b"\1b", None),
]


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        pytest.param(0, {}, id="nothing"),
        pytest.param(3, {b"\1a": b"old", b"\1b": b"b"}, id="before-the-change"),
        pytest.param(6, {b"\1a": b"new", b"\1b": b"b"}, id="after-it"),
        pytest.param(7, {b"\1a": b"new"}, id="after-the-removal"),
    ],
)
def test_rows_are_what_the_changelog_has_up_to_an_offset(end, expected):
    assert rows_up_to(CHANGES, 0, end) == expected


@pytest.mark.parametrize(
    ("reached", "held", "differ"),
    [
        pytest.param(3, {b"\1a": b"old", b"\1b": b"b"}, 0, id="as-the-changelog"),
        pytest.param(3, {b"\1a": b"new", b"\1b": b"b"}, 1, id="ahead-of-what-it-says"),
        pytest.param(7, {b"\1a": b"new", b"\1b": b"b"}, 1, id="a-removal-missed"),
        pytest.param(7, {}, 1, id="a-row-missed"),
    ],
)
def test_a_database_that_is_not_what_it_says_is_found(reached, held, differ):
    findings = Findings()
    check_databases(findings, [Database("0/0", 0, reached, held)], CHANGES)
    assert findings.counts[KIND] == differ
