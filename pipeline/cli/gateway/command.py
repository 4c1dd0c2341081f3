"""`gateway` plays the gateway on this machine; `gateway seen` shows the messages that it took."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say
from pipeline.gateway.settings import GatewaySettings, MoWay
from pipeline.gateway.truth import seen_in, twice
from pipeline.home.stack import find_stack
from pipeline.process.loading import loading

Product = Annotated[
    str | None,
    typer.Option(
        "--product",
        metavar="URL",
        help="Where ingest listens; else the local stack's, else port 8080 of this machine.",
        show_default=False,
    ),
]
Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="0 picks a free one.")]


def gateway(
    context: typer.Context,
    home: Home = None,
    product: Product = None,
    numbers: Annotated[
        str, typer.Option("--numbers", metavar="NUMBERS", help="Rented numbers, commas between.")
    ] = "447700900999",
    mo_way: Annotated[
        MoWay,
        typer.Option(
            "--mo-way", metavar="WAY", help=f"How messages are handed over: {', '.join(MoWay)}."
        ),
    ] = MoWay.HTTP_GET,
    host: Annotated[
        str,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on. Whoever reaches another than this machine's own may send by"
            " it, look at its page and text as a handset.",
        ),
    ] = "127.0.0.1",
    http_port: Port = 8090,
    smpp_port: Port = 2775,
    smtp_port: Port = 2525,
    ftp_port: Port = 2121,
    https_port: Port = 0,
    smpps_port: Port = 0,
    faults: Annotated[
        Path | None,
        typer.Option(
            "--faults",
            metavar="FILE",
            help="Rules for faults; else faults.toml in the home, where there is one.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the faults' chance.")] = 1,
) -> None:
    """Play the gateway on this machine, without an account.

    It takes messages by HTTP, XML, SOAP, SMPP, mail and FTP, and hands over what `twoway text`
    sends. It writes apis.toml into the home, unless somebody else wrote one. Where ingest asks for
    a token, set TWOWAY_TOKENS.
    """
    if context.invoked_subcommand is not None:
        return
    settings = settings_from(home=home)
    folder: Path = settings.home.resolve()
    stack = find_stack(folder)
    own = GatewaySettings(
        home=folder,
        product=(product or (stack.ingest if stack else "http://127.0.0.1:8080")).rstrip("/"),
        token=settings.tokens.partition(",")[0].strip(),
        host=host,
        numbers=tuple(numbers.replace(" ", "").split(",")),
        mo_way=mo_way,
        host_names=tuple(settings.host_names.replace(",", " ").split()),
        faults=faults,
        http_port=http_port,
        https_port=https_port,
        smpps_port=smpps_port,
        smpp_port=smpp_port,
        smtp_port=smtp_port,
        ftp_port=ftp_port,
        seed=seed,
    )
    with loading():
        from pipeline.gateway import process

    process.run(settings, own)


def seen(
    home: Home = None,
    only_twice: Annotated[
        bool,
        typer.Option("--twice", help="Only what came before; exit code 1 where there is any."),
    ] = False,
) -> None:
    """Show every message that was taken, with its octets, as lines of JSON.

    They are in the home, also when no stand-in runs. Exit codes: 0, and with --twice 1 where any
    message came twice.
    """
    found = seen_in(settings_from(home=home).home)
    shown = twice(found) if only_twice else list(found)
    for each in shown:
        say(json.dumps(each, ensure_ascii=False))
    if only_twice and shown:
        raise typer.Exit(1)
