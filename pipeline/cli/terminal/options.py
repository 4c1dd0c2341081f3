"""The options that several commands share, and how they become settings."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.terminal.as_home import ask_as
from pipeline.process.peer_words import keep_secret
from pipeline.process.secret_settings import secrets_of
from pipeline.settings import Settings, load_settings

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Folder of the local stack. Default: TWOWAY_HOME, else .twoway.",
        show_default=False,
    ),
]
HttpPort = Annotated[
    int | None,
    typer.Option(
        "--http-port",
        metavar="PORT",
        min=0,
        max=65535,
        help="Port of the ingest service; 0 picks a free one.",
    ),
]
ReportPort = Annotated[
    int | None,
    typer.Option(
        "--report-port",
        metavar="PORT",
        min=0,
        max=65535,
        help="Port of the report; 0 picks a free one.",
    ),
]
KafkaPort = Annotated[
    int | None,
    typer.Option(
        "--kafka-port",
        metavar="PORT",
        min=0,
        max=65535,
        help="Port of the broker; 0 picks a free one.",
    ),
]
TlsCert = Annotated[
    Path | None,
    typer.Option("--tls-cert", metavar="FILE", help="Certificate chain (PEM), to serve https."),
]
TlsKey = Annotated[
    Path | None,
    typer.Option("--tls-key", metavar="FILE", help="Private key (PEM) of the certificate."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


def settings_from(**flags: Any) -> Settings:
    """The settings in force. A flag that is None counts as not given."""
    given = {
        name: str(value) if isinstance(value, Path) else value for name, value in flags.items()
    }
    settings = load_settings(command_line=given)
    keep_secret(secrets_of(settings))  # whoever repeats one to us
    ask_as(settings)
    return settings
