"""`up`, the whole stack on this machine, and its processes one by one."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.terminal.options import (
    Home,
    HttpPort,
    KafkaPort,
    ReportPort,
    TlsCert,
    TlsKey,
    settings_from,
)

ReadyFile = Annotated[
    Path | None,
    typer.Option(
        "--ready-file",
        metavar="FILE",
        help="Written, atomically, when all is ready: where, and process ids.",
    ),
]


def up(
    home: Home = None,
    ready_file: ReadyFile = None,
    http_port: HttpPort = None,
    report_port: ReportPort = None,
    kafka_port: KafkaPort = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    gateway: Annotated[
        bool, typer.Option("--gateway", help="Play the gateway beside it (twoway gateway).")
    ] = False,
) -> None:
    """Run the whole stack on this machine, without Docker.

    It stays in the foreground: Ctrl-C stops it in order and keeps the data. It needs no other
    service and no Java of your own.
    """
    from pipeline.cli.local import supervisor

    settings = settings_from(
        home=home,
        http_port=http_port,
        report_port=report_port,
        kafka_port=kafka_port,
        tls_cert=tls_cert,
        tls_key=tls_key,
    )
    supervisor.run(settings, ready_file=ready_file, plays_gateway=gateway)


def worker(home: Home = None) -> None:
    """Run one worker: it keeps consent and judges what may be sent.

    Start as many as there is work for, up to one a partition; each takes its share.
    """
    settings = settings_from(home=home)
    from pipeline.conversation import process

    process.run(settings)


def ingest(
    home: Home = None, http_port: HttpPort = None, tls_cert: TlsCert = None, tls_key: TlsKey = None
) -> None:
    """Run the ingest service, which takes what arrives.

    It answers the gateway 200 once Kafka has acknowledged the message.
    """
    settings = settings_from(home=home, http_port=http_port, tls_cert=tls_cert, tls_key=tls_key)
    from ingest.http import process as http

    http.run(settings)


def store(home: Home = None, report_port: ReportPort = None) -> None:
    """Run the store, which fills ClickHouse and serves the report.

    With TWOWAY_CLICKHOUSE empty it owns the embedded engine under the home.
    """
    settings = settings_from(home=home, report_port=report_port)
    from pipeline.store import process

    process.run(settings)
