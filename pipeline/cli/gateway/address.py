"""Where the stand-in of the gateway listens: on this machine, and nowhere else."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.gateway.files import where
from pipeline.web.access import is_loopback_host

GatewayUrl = Annotated[
    str | None,
    typer.Option(
        "--gateway",
        metavar="URL",
        help="Where the stand-in listens. Default: where the one of the home does.",
        show_default=False,
    ),
]


def address_of(given: str | None, home: Path) -> str:
    """Its address without a path; raises `CommandError` where nobody says it, or not here."""
    address = (given or where(home).get("http", "").removesuffix("/http")).rstrip("/")
    if not address:
        raise CommandError(
            f"no stand-in runs under {home}: start `twoway up --gateway` or `twoway gateway`,"
            " or say --gateway URL"
        )
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        raise CommandError(f"{address!r} is no address such as http://127.0.0.1:8090") from None
    if parts.scheme != "http" or not is_loopback_host(host):
        raise CommandError(f"{address} is not http:// on this machine: the stand-in is only here")
    return address
