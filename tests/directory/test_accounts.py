"""`[[account]]` of numbers.toml: what it allows, and what is refused with line and field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.directory.directory import Directory, NumbersError, numbers_from_toml
from pipeline.records import AccountTerms

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = '[[number]]\nnumber = "447700900100"\nkind = "vmn"\n'
ACCOUNT = '[[account]]\nname = "main"\n'
PARTS = '[reply_path.crm]\nway = "http-get"\nurl = "http://127.0.0.1/"\nunit = "part"\n'


def read(text: str) -> Directory:
    return Directory(numbers_from_toml(text, origin="numbers.toml", loaded_at=NOON))


def mistakes(text: str) -> list[str]:
    with pytest.raises(NumbersError) as refused:
        read(text)
    return str(refused.value).splitlines()


def test_an_account_has_the_prices_it_is_given_and_the_standard_ones_by_default() -> None:
    """A third of a credit for each inbound message (G9)."""
    directory = read(NUMBER + ACCOUNT + 'mode = "hold"\n')
    account = directory.charged_account("main")
    assert account == AccountTerms(
        name="main",
        mode="hold",
        mo_price_units=1_000_000,
        mt_price_units=3_000_000,
        notify_below_units=None,
    )


def test_a_number_may_have_prices_of_its_own() -> None:
    other = '[[number]]\nnumber = "447700900101"\nkind = "vmn"\n'
    directory = read(
        f'{NUMBER}mo_price = "1/2"\nmt_price = 0\n{other}'
        + f'{ACCOUNT}mode = "book"\nmo_price = "0.3"\nmt_price = "1 1/3"\nnotify_below = 100\n'
    )
    account = directory.charged_account("main")
    assert account is not None
    assert account.notify_below_units == 300_000_000
    assert directory.mo_price_of("447700900100", account) == 1_500_000
    assert directory.mt_price_of("447700900100", account) == 0
    assert directory.mo_price_of("447700900101", account) == 900_000
    assert directory.mt_price_of("447700900101", account) == 4_000_000
    assert directory.mo_price_of("447700900199", account) == 900_000  # not listed


@pytest.mark.parametrize(
    ("text", "charges"),
    [("", False), (f'{ACCOUNT}mode = "off"\n', False), (f'{ACCOUNT}mode = "book"\n', True)],
    ids=["without", "off", "book"],
)
def test_an_account_is_off_unless_it_says_otherwise(text: str, charges: bool) -> None:
    directory = read(NUMBER + text)
    assert directory.charges is charges
    assert (directory.charged_account("main") is not None) is charges


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('mo_price = "0.33333333"\n', "7: account.mo_price: '0.33333333' is no multiple of"),
        ("mo_price = 0.3\n", '7: account.mo_price: must be credits in quotes, such as "1/3"'),
        ("mt_price = true\n", "7: account.mt_price: must be credits in quotes"),
        ('mt_price = "-1"\n', "7: account.mt_price: must not be below zero"),
        ("mt_price = -1\n", "7: account.mt_price: must not be below zero"),
        ('mt_price = "1/0"\n', "7: account.mt_price: '1/0' divides by zero"),
        ('mo_price = "free"\n', "7: account.mo_price: 'free' is no number of credits"),
        ("mo_price = 10001\n", "7: account.mo_price: must be at most 10,000 credits a part"),
        ('notify_below = "-1"\n', "7: account.notify_below: must not be below zero"),
        ("notify_below = 2000000000\n", "7: account.notify_below: '2000000000' is more than"),
        ("price = 1\n", "7: account.price: there is no such field; there are mo_price"),
    ],
)
def test_a_price_that_is_no_exact_amount_is_refused_with_line_and_field(
    text: str, words: str
) -> None:
    (found,) = mistakes(f'{NUMBER}{ACCOUNT}mode = "hold"\n{text}')
    assert found.startswith(f"numbers.toml:{words}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[account]]\nmode = "book"\n', "4: account.name: is missing"),
        ('[[account]]\nname = ""\nmode = "book"\n', "5: account.name: must not be empty"),
        ('[[account]]\nname = "a\\u0000b"\nmode = "book"\n', "5: account.name: must be printable"),
        (f"{ACCOUNT}", "4: account.mode: is missing; one of off, book, hold"),
        (f'{ACCOUNT}mode = "on"\n', "6: account.mode: must be one of off, book, hold"),
        (f'{ACCOUNT}mode = "off"\n' * 2, "8: account.name: 'main' is there twice"),
        (
            '[[account]]\nname = "mian"\nmode = "hold"\n',
            "5: account.name: no number is of the account 'mian'; there are main",
        ),
        ('[account]\nname = "main"\n', "4: account: must be tables, each under its own"),
        (
            'mo_price = "1/3"\n',
            "4: number.mo_price: is for an account that is listed: there is no [[account]] 'main'",
        ),
        (
            f'reply_path = "crm"\n{PARTS}{ACCOUNT}mode = "hold"\n',
            "4: number.reply_path: [reply_path.crm] hands on parts as they come",
        ),
    ],
)
def test_an_account_that_cannot_be_is_refused_with_line_and_field(text: str, words: str) -> None:
    found = mistakes(f"{NUMBER}{text}")
    assert any(each.startswith(f"numbers.toml:{words}") for each in found), found


@pytest.mark.parametrize("mode", ["off", "book"])
def test_parts_are_handed_on_where_nothing_is_held(mode: str) -> None:
    read(f'{NUMBER}reply_path = "crm"\n{PARTS}{ACCOUNT}mode = "{mode}"\n')
