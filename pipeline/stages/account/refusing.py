"""Which charges and credits are refused, and why: others may write both topics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.credits import MOST_UNITS_AT_ONCE, UNITS_PER_CREDIT, amount_from_units
from pipeline.records import ChargeKind, CreditKind
from pipeline.stages.account.ledger import MOST_BALANCE

if TYPE_CHECKING:
    from pipeline.records import AccountCharge, AccountCredit
    from pipeline.stages.account.row import AccountState, Booked, TakenCredit

LONGEST_ID: Final = 64
LONGEST_ACCOUNT: Final = 64
LONGEST_WORDS: Final = 1_000
_CHARGES: Final = tuple(kind.value for kind in ChargeKind)
_CREDITS: Final = tuple(kind.value for kind in CreditKind)
#: The parts of one message, and more (3GPP TS 23.040 9.2.3.24.1 has at most 255).
_MOST_PARTS: Final = 10_000


def what_is_wrong_with_charge(
    charge: AccountCharge, booked: Booked | None, state: AccountState, *, partitions: int
) -> str:
    """Why a charge is refused; empty if it is not."""
    if not 0 < len(charge.charge_id) <= LONGEST_ID:
        return f"its id must have 1 to {LONGEST_ID} characters"
    if not is_account_name(charge.account):
        return "its account is no name"
    if charge.kind not in _CHARGES:
        return f"its kind is none of {', '.join(_CHARGES)}"
    if not 0 <= charge.units <= MOST_UNITS_AT_ONCE:
        return f"its amount is not between 0 and {_most()} credits"
    if not 0 <= charge.parts <= _MOST_PARTS or len(charge.number) > LONGEST_ID:
        return "its parts or its number are absurd"
    if charge.kind != ChargeKind.MO and charge.is_held:
        return "an MT is never held"
    if charge.kind != ChargeKind.MT and charge.is_stated:
        return "the gateway states the charge of an MT alone"
    if charge.is_held and not 0 <= charge.home < partitions:
        return "there is no partition of its home"
    if booked is not None and (booked.account, booked.kind) != (charge.account, charge.kind):
        return "its id is of another charge"
    if state.balance - charge.units < -MOST_BALANCE or state.waiting_units > MOST_BALANCE:
        return "the balance would be beyond what is counted"
    return ""


def what_is_wrong_with_credit(
    credit: AccountCredit,
    taken: TakenCredit | None,
    state: AccountState,
    *,
    is_known: bool,
    is_held: bool,
) -> str:
    """Why a credit is refused; empty if it is not.

    `is_known`: there is such an account; `is_held`: its messages wait until they are paid.
    """
    if not 0 < len(credit.credit_id) <= LONGEST_ID:
        return f"its id must have 1 to {LONGEST_ID} characters"
    if not is_known:
        return "there is no such account in numbers.toml"
    if credit.kind not in _CREDITS:
        return f"its kind is none of {', '.join(_CREDITS)}"
    least = 1 if credit.kind == CreditKind.CREDIT else -MOST_UNITS_AT_ONCE
    if not least <= credit.units <= MOST_UNITS_AT_ONCE or not credit.units:
        above = "above 0 and " if credit.kind == CreditKind.CREDIT else ""
        return f"its amount must be {above}at most {_most()} credits"
    if not credit.actor.strip() or not credit.reason.strip():
        return "it does not say who orders it and why"
    if len(credit.actor) + len(credit.reason) + len(credit.reference) > LONGEST_WORDS:
        return f"its words are longer than {LONGEST_WORDS} characters"
    if taken is not None:
        asked = (credit.account, credit.kind, credit.units)
        return "" if (taken.account, taken.kind, taken.units) == asked else "its id was used before"
    after = state.balance + credit.units
    if is_held and credit.units < 0 and after < 0:
        return f"the account has {amount_from_units(state.balance)} credits: it would be overdrawn"
    if abs(after) > MOST_BALANCE:
        return "the balance would be beyond what is counted"
    return ""


def is_account_name(name: str) -> bool:
    """Whether it may be an account's name."""
    return 0 < len(name) <= LONGEST_ACCOUNT and name.isprintable()


def _most() -> str:
    return f"{MOST_UNITS_AT_ONCE // UNITS_PER_CREDIT:,}"
