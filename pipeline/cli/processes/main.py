"""`up` runs the whole stack on this machine. The other commands run one process each."""

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
from pipeline.process.loading import loading

ReadyFile = Annotated[
    Path | None,
    typer.Option(
        "--ready-file",
        metavar="FILE",
        help="File to write, atomically, when all is ready: addresses and process ids.",
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

    The command stays in the foreground. Ctrl-C stops the stack in order and keeps the data. The
    stack needs no other service and no Java of your own.
    """
    with loading():
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
    """Run one worker. Workers join parts, keep consent, and judge which MT may be sent.

    You can start several workers, at most one for each partition. They share the partitions.
    """
    settings = settings_from(home=home)
    with loading():
        from pipeline.conversation import process

    process.run(settings)


def ingest(
    home: Home = None, http_port: HttpPort = None, tls_cert: TlsCert = None, tls_key: TlsKey = None
) -> None:
    """Run the ingest service, which takes messages and requests by HTTP.

    It answers the gateway 200 once Kafka has acknowledged the message.
    """
    settings = settings_from(home=home, http_port=http_port, tls_cert=tls_cert, tls_key=tls_key)
    with loading():
        from ingest.http import process as http

    http.run(settings)


def store(home: Home = None, report_port: ReportPort = None) -> None:
    """Run the store, which fills ClickHouse and serves the report.

    If TWOWAY_CLICKHOUSE is empty, it runs the embedded engine under the home.
    """
    settings = settings_from(home=home, report_port=report_port)
    with loading():
        from pipeline.store import process

    process.run(settings)
