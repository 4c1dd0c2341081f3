"""The table of G8.2, row by row."""

import pytest

from pipeline.sms.sender_id import SenderKind, Shown, may_be_answered, outcome_of_sender_id

# Row and column of the guide's table: what is shown, and whether an answer can come back to us.
TABLE = [
    ("alpha", True, "as-given-or-default", False),
    ("alpha", False, "as-given-or-default", False),
    ("numeric", True, "as-given-or-default", False),
    ("numeric", False, "as-given-or-default", False),
    ("vmn", True, "as-given", True),
    ("vmn", False, "as-given-or-default", False),
    ("short-code", True, "regional", True),
    ("short-code", False, "as-given-or-default", False),
    ("none", True, "default", False),
    ("none", False, "default", False),
]


@pytest.mark.parametrize(
    ("kind", "mo", "shown", "reply"), TABLE, ids=[f"{row[0]}-mo={int(row[1])}" for row in TABLE]
)
def test_a_row_of_the_table(kind: str, mo: bool, shown: str, reply: bool) -> None:
    outcome = outcome_of_sender_id(SenderKind(kind), mo=mo)
    assert (outcome.shown, outcome.reply_possible) == (Shown(shown), reply)
    assert outcome.words


def test_the_table_is_whole() -> None:
    assert {(kind, mo) for kind, mo, *_ in TABLE} == {
        (k, mo) for k in SenderKind for mo in (True, False)
    }


@pytest.mark.parametrize("kind", SenderKind)
def test_mo_is_set_where_an_answer_may_come(kind: SenderKind) -> None:
    assert may_be_answered(kind) == (kind in (SenderKind.VMN, SenderKind.SHORT_CODE))
