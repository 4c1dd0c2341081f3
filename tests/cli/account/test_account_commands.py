"""`twoway account`: what is shown, a month of it, and the gateway's statement beside it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from tests.support.account_records import CREDIT, THIRD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.account.conftest import RunAccount

CLOSING = 2 * CREDIT - 3 * THIRD - CREDIT + CREDIT // 10


def test_an_account_is_shown_exactly(run_account: RunAccount) -> None:
    code, out, _ = run_account("account", "show", "main")
    assert code == 0
    assert "main (hold)" in out
    assert "balance   0.1 credits" in out
    assert "held      1 messages for 1/3 credits, the oldest of 2026-03-01 09:50:00 UTC" in out
    assert "notify    below 10 credits, and it is" in out


def test_every_account_is_shown_and_as_json_too(run_account: RunAccount) -> None:
    _, out, _ = run_account("account", "show", "--json")
    main, other = map(json.loads, out.splitlines())
    assert (main["account"], main["balance_units"], main["balance_credits"]) == (
        "main", CLOSING, "0.1",
    )  # fmt: skip
    assert (main["held"], main["is_low"], other["balance_units"]) == (1, True, 0)
    assert "secret words" not in out


def test_an_account_that_is_not_there_is_said(run_account: RunAccount) -> None:
    code, out, err = run_account("account", "show", "mian")
    assert (code, out) == (1, "")
    assert "there is no account 'mian'" in err


def test_a_month_says_itself_that_it_adds_up(run_account: RunAccount) -> None:
    code, out, err = run_account("account", "statement", "main", "2026-03")
    assert code == 0
    assert "opening 0 + booked 0.1 = closing 0.1, exactly" in err
    lines = out.splitlines()
    assert lines[0].split() == ["day", "kind", "entries", "parts", "credits", "balance", "credits"]
    assert lines[1].split() == ["opening", "0"]
    assert lines[-1].split() == ["closing", "0.1"]
    assert len(lines) == 3 + 4


@pytest.mark.parametrize("entries", [(), ("--entries",)])
def test_as_csv_units_add_up_and_no_cell_is_a_day_or_a_formula(
    run_account: RunAccount, entries: tuple[str, ...]
) -> None:
    code, out, _ = run_account(
        "account", "statement", "main", "2026-03", "--format", "csv", *entries
    )
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows[0]["kind"] == "opening"
    assert rows[-1]["kind"] == "closing"
    booked = sum(int(row["units"]) for row in rows)
    assert int(rows[0]["balance_units"]) + booked == int(rows[-1]["balance_units"]) == CLOSING
    assert all("/" not in row["credits"] for row in rows)
    assert len(rows) == 2 + (6 if entries else 4)
    if entries:
        assert [row["reason"] for row in rows if row["reason"]] == ["'=1+1, paid"]


def test_as_json_every_entry_has_its_exact_balance(run_account: RunAccount) -> None:
    _, out, err = run_account(
        "account", "statement", "main", "2026-03", "--entries", "--format", "json"
    )
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["balance_credits"] for row in rows] == [
        "0", "2", "1 2/3", "1 1/3", "1", "0", "0.1", "0.1",
    ]  # fmt: skip
    assert "exactly" in err


@pytest.mark.parametrize("month", ["2026-13", "march", "2026"])
def test_what_is_no_month_is_wrong_usage(run_account: RunAccount, month: str) -> None:
    code, _, err = run_account("account", "statement", "main", month)
    assert code == 2
    assert "is no month such as 2026-03" in err


# The gateway's own statement


def statement(folder: Path, *lines: str) -> str:
    file = folder / "statement.csv"
    file.write_text("\n".join(lines) + "\n")
    return str(file)


HEAD = "Date,Direction,Message ID,From,To,Charge"
AGREEING = (
    "2026-03-01 11:00:00,MO,A0,447700900001,88801,0.333333",
    "2026-03-01 11:10:00,MO,a1,447700900001,88801,0.33",
    "2026-03-01 11:20:00,MO,A2,447700900001,88801,1/3",
    "2026-03-01 11:40:20,MT,,88801,447700900001,0.9",
)


def test_a_statement_that_agrees(run_account: RunAccount, tmp_path: Path) -> None:
    """The gateway's times are at +02:00 (G8.3); the MT has no id, and is found by its time."""
    code, out, err = run_account(
        "account", "reconcile", "main", statement(tmp_path, HEAD, *AGREEING)
    )
    assert (code, err) == (0, "")
    assert "4 lines read, 4 messages agree" in out


def test_each_side_that_lacks_something_is_shown(run_account: RunAccount, tmp_path: Path) -> None:
    file = statement(
        tmp_path,
        HEAD,
        AGREEING[0],
        "2026-03-01 11:10:00,MO,A1,447700900001,88801,0.5",  # another price
        "2026-03-01 11:11:00,MO,B9,447700900001,88801,0.333333",  # we never saw it
        "2026-03-01 11:51:00,MO,a3,447700900001,88801,0.333333",  # we hold it
        AGREEING[3],
    )
    code, out, err = run_account("account", "reconcile", "main", file, "--json")
    assert code == 1
    assert "3 differences, 0 lines not read" in err
    rows = [json.loads(line) for line in out.splitlines()]
    by_side = {(row["side"], row.get("id", "")): row for row in rows}
    assert set(by_side) == {
        ("differs", "A1"), ("only-theirs", "B9"), ("only-ours", "A2"), ("sum", ""),
    }  # fmt: skip
    assert by_side["differs", "A1"]["ours"] == "1/3"
    assert by_side["differs", "A1"]["theirs"] == "0.5"
    assert by_side["only-theirs", "B9"]["words"] == "it did not come to us"
    assert by_side["only-ours", "A2"]["ours"] == "1/3"
    _, words, _ = run_account("account", "reconcile", "main", file)
    assert "charged by the gateway, and not in our ledger: 1" in words
    assert "in our ledger, and not in the gateway's statement: 1" in words


def test_a_line_that_cannot_be_read_is_said_with_its_number(
    run_account: RunAccount, tmp_path: Path
) -> None:
    file = statement(tmp_path, HEAD, *AGREEING, "2026-03-01 12:00:00,MO,A7,1,88801,much")
    code, _, err = run_account("account", "reconcile", "main", file)
    assert code == 1
    assert "line 6: the charge is no amount of credits" in err


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (("a,b", "1,2"), "the first line must name the columns"),
        (("id,charge", "A0,0.33"), "say with --month which month it is of"),
    ],
)
def test_a_file_that_cannot_be_compared_is_refused(
    run_account: RunAccount, tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    code, out, err = run_account("account", "reconcile", "main", statement(tmp_path, *lines))
    assert (code, out) == (1, "")
    assert words in err


def test_a_file_without_times_is_compared_with_the_month_that_is_named(
    run_account: RunAccount, tmp_path: Path
) -> None:
    file = statement(tmp_path, "id;credits", "A0;0,333333", "A1;0,333333", "A2;0,34")
    code, out, _ = run_account("account", "reconcile", "main", file, "--month", "2026-03")
    assert code == 1  # the MT is missing
    assert "3 lines read, 3 messages agree" in out
    assert "in our ledger, and not in the gateway's statement: 1" in out


# What is to be reviewed


def test_a_held_message_is_to_be_reviewed_without_its_text(run_account: RunAccount) -> None:
    code, out, _ = run_account("review")
    assert code == 0
    assert out == "m3  2026-03-01T09:50:00Z  to 88801: held until paid, 1 part\n"
    _, out, _ = run_account("review", "--json")
    row = json.loads(out)
    assert (row["released"], row["text"], row["handset"]) == (False, "", "")


def test_a_held_message_can_be_decided(
    run_account: RunAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, str]] = []

    def send_order(_settings: object, action: str, **fields: str) -> str:
        sent.append({"action": action} | fields)
        return fields["request_id"]

    monkeypatch.setattr("pipeline.cli.consent.review.send_order", send_order)
    code, out, _ = run_account("review", "accept", "m3", "--reason", "It is.", "--by", "anna")
    assert (code, out) == (0, "review-m3\n")
    assert (sent[0]["handset"], sent[0]["number"]) == ("447700900001", "88801")
    code, _, err = run_account("review", "accept", "m0", "--reason", "It is.", "--by", "anna")
    assert code == 1
    assert "there is no message 'm0'" in err
