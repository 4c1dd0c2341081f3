"""`text`: sends a handset's message, by the stand-in that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.ask.report_client import call
from pipeline.cli.gateway.address import GatewayUrl, address_of
from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.gateway.settings import MoWay  # noqa: TC001 - typer reads it

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARSETS: Final = ("ISO-8859-1", "UTF-16BE", "8-BIT")
SECONDS: Final = 60.0  # it answers once each part was handed over, or could not be


def text(
    handset: Annotated[
        str, typer.Argument(metavar="HANDSET", help="Who sends it, with the country code.")
    ],
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The number or short code that is texted.")
    ],
    words: Annotated[str, typer.Argument(metavar="TEXT", help="What is sent.")],
    charset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=f"{', '.join(CHARSETS)} (TEXT is hex). Default: the one that TEXT needs.",
            show_default=False,
        ),
    ] = None,
    mo_way: Annotated[
        list[MoWay] | None,
        typer.Option(
            "--mo-way",
            metavar="WAY",
            help="How it is handed over; given several times, by each. Default: the number's way.",
            show_default=False,
        ),
    ] = None,
    gateway: GatewayUrl = None,
    home: Home = None,
) -> None:
    """Send what a handset would, to the gateway that is played.

    Prints the moMsgId of each part. It needs a stand-in that runs: `twoway up --gateway`, or
    `twoway gateway`. Exit codes: 0 it was sent, 1 no stand-in answers or it refuses the text, 2 an
    argument is wrong.
    """
    digits, texted = handset_from(handset), number_from(number)
    if not words:
        raise typer.BadParameter("TEXT is empty: a handset sends no empty text")
    if charset is not None and charset not in CHARSETS:
        raise typer.BadParameter(f"the charset {charset!r} is none of {', '.join(CHARSETS)}")
    address = address_of(gateway, settings_from(home=home).home)
    for each in send(address, digits, texted, words, charset=charset, ways=mo_way or ()):
        say(each)


def send(
    address: str,
    handset: str,
    number: str,
    words: str,
    *,
    charset: str | None = None,
    ways: Sequence[MoWay] = (),
) -> list[str]:
    """Have the stand-in send it; the id of each part. Raises `CommandError`."""
    given = {
        "handset": handset,
        "number": number,
        "text": words,
        "charset": charset,
        "ways": [way.value for way in ways],
    }
    body = json.dumps(given).encode()
    answer = call(f"{address}/_/text", body=body, timeout_seconds=SECONDS)
    if answer.status != 200:
        raise CommandError(f"the stand-in refuses it: {' '.join(answer.text.split())}")
    ids: list[str] = json.loads(answer.text)["ids"]
    return ids
