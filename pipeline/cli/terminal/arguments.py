"""Arguments that several commands share: handsets, numbers, the name of a person, a reason."""

import getpass
from typing import Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.sms.msisdn import CANNOT_BE_SENT_TO, handset_from_text, written_digits

ReasonOption = Annotated[
    str,
    typer.Option(
        "--reason", metavar="WORDS", help="Why, in your own words. It is kept with the order."
    ),
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who gives the order. Default: your login name.",
        show_default=False,
    ),
]


def actor_from(by: str | None) -> str:
    """Who gives the order; raises `CommandError` without `by` and without a login name."""
    if by is not None and by.strip():
        return by.strip()
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise CommandError("this account has no login name: say who you are with --by") from error


def words_from(reason: str) -> str:
    """The reason, trimmed; raises `typer.BadParameter` without one."""
    words = reason.strip()
    if not words:
        raise typer.BadParameter("--reason must say why")
    return words


def handset_from(text: str) -> str:
    """The handset in digits; raises `typer.BadParameter` if no MT can be sent to `text`."""
    handset = handset_from_text(text)
    if not handset:
        raise typer.BadParameter(f"the handset {text!r} {CANNOT_BE_SENT_TO}")
    return handset


def number_from(text: str) -> str:
    """A number or short code in digits; raises `typer.BadParameter` if `text` is not digits."""
    digits = written_digits(text).removeprefix("+")
    if not digits:
        raise typer.BadParameter(f"the number {text!r} is not digits")
    return digits
