"""`text`: what a handset sends, to the stand-in that runs."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Annotated
from urllib.parse import urlsplit

import typer

from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.gateway.files import where

_SECONDS = 60.0


def text(
    handset: str,
    number: str,
    words: Annotated[str, typer.Argument(metavar="TEXT")],
    charset: Annotated[
        str | None,
        typer.Option(help="ISO-8859-1, UTF-16BE or 8-BIT (TEXT is hex).", show_default=False),
    ] = None,
    home: Home = None,
) -> None:
    """Send what a handset would: in parts, in the charset and with the header that it needs.

    Prints the moMsgId of each part. It needs `twoway gateway`.
    """
    settings = settings_from(home=home)
    url = urlsplit(where(settings.home).get("http", ""))
    if not url.hostname:
        raise CommandError(f"no gateway is played under {settings.home}: start `twoway gateway`")
    given = {
        "handset": handset_from(handset),
        "number": number_from(number),
        "text": words,
        "charset": charset,
    }
    connection = HTTPConnection(url.hostname, url.port, timeout=_SECONDS)
    try:
        connection.request("POST", "/_/text", json.dumps(given))
        answer = connection.getresponse()
        octets = answer.read()
    except (HTTPException, OSError) as error:
        raise CommandError(f"the gateway that is played does not answer: {error}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise CommandError(octets.decode(errors="replace"))
    for each in json.loads(octets)["ids"]:
        say(each)
