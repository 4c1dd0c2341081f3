"""`twoway credit`: what is refused, and what is said once the ledger has booked an order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli.account.waiting import booked
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics
from pipeline.records import AccountCredit, DeadLetter
from tests.store.samples import SAMPLES
from tests.support.account_records import CREDIT, THIRD, PlainLedger

if TYPE_CHECKING:
    from tests.cli.account.conftest import RunAccount
    from tests.support.equipped import Equipped


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["main", "0.33333333"], "is no multiple of 1/3,000,000 credit"),
        (["main", "1/7"], "is no multiple of 1/3,000,000 credit"),
        (["main", "1e3"], "is no number of credits"),
        (["main", "1,000"], "is no number of credits"),
        (["main", "NaN"], "is no number of credits"),
        (["main", "0"], "AMOUNT is zero"),
        (["main", "-5"], "AMOUNT is below zero"),
        (["main", "-1/3"], "AMOUNT is below zero"),
        (["main", "9999999999999"], "is more than 1,000,000,000 credits"),
        (["main", "9" * 4_000], "is no number of credits"),
        ([" ", "5"], "ACCOUNT is a name"),
        (["m" * 65, "5"], "ACCOUNT is a name"),
        (["ma\x1bin", "5"], "ACCOUNT is a name"),
        (["main", "5", "--id", "x" * 65], "--id is at most 64"),
        (["main", "5", "--id", "a\nb"], "--id is at most 64"),
        (["main", "5", "--reason", " "], "--reason must say why"),
        (["main", "5", "--reason", "x" * 1_001], "--reason is at most 1,000"),
        (["main", "-5", "--correction", " "], "AMOUNT is below zero"),
    ],
)
def test_what_cannot_be_credited_is_wrong_usage(
    run_account: RunAccount, words: list[str], said: str
) -> None:
    given = words if "--reason" in words else [*words, "--reason", "Paid."]
    code, out, err = run_account("credit", *given)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_a_reason_is_needed(run_account: RunAccount) -> None:
    code, _, err = run_account("credit", "main", "5")
    assert code == 2
    assert "--reason" in err


def credit_of(**fields: Any) -> AccountCredit:
    given: dict[str, Any] = {
        "credit_id": "c1", "account": "main", "kind": "credit", "units": CREDIT, "reference": "",
        "actor": "anna", "reason": "Paid.", "requested_at": datetime(2026, 3, 1, tzinfo=UTC),
    }  # fmt: skip
    return AccountCredit(**given | fields)


def letter_of(**fields: Any) -> DeadLetter:
    from msgspec.structs import replace

    sample = next(each for each in SAMPLES if type(each) is DeadLetter)
    return replace(sample, **fields)


def test_the_entry_of_an_order_is_found_among_others() -> None:
    ledger, other = PlainLedger(), PlainLedger("other")
    wanted = ledger.book("credit", CREDIT, datetime(2026, 3, 1, tzinfo=UTC), reference="c1")
    read = [
        None,
        other.book("credit", CREDIT, wanted.at, reference="c1"),
        wanted,
        ledger.book("mo", -THIRD, wanted.at),
        letter_of(topic=topics.ACCOUNT_CREDIT, offset=6),
    ]
    found = booked(read, credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7)
    assert found == wanted
    assert booked(read[3:], credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7) is None


def test_an_order_that_the_ledger_refused_is_said() -> None:
    letter = letter_of(topic=topics.ACCOUNT_CREDIT, offset=7, words="there is no such account")
    with pytest.raises(CommandError, match="refused the order: there is no such account"):
        booked([letter], credit_of(), topic=topics.ACCOUNT_CREDIT, offset=7)


# On a whole stack, whose ledger books; `test_whole_stack.py` credits the same id again


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_a_credit_is_booked_and_the_new_balance_is_said(equipped: Equipped) -> None:
    credit = partial(equipped.running.cli, "credit", "new")
    done = credit("100", "--reason", "Paid.", "--id", "first")
    assert done.stderr == ""
    assert done.stdout == "first: 100 credits are booked\nthe balance of new is 100 credits\n"
    told = json.loads(credit("-1/3", "--reason", "Twice.", "--correction", "mo-7", "--json").stdout)
    assert (told["units"], told["credits"]) == (-THIRD, "-1/3")
    assert told["balance_credits"] == "99 2/3"


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_an_account_that_nobody_has_written_down_is_refused(equipped: Equipped) -> None:
    done = equipped.running.cli("credit", "nwe", "100", "--reason", "Paid.", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "numbers.toml has no [[account]] 'nwe'; there are held, priced, new" in done.stderr
