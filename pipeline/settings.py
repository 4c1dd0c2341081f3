"""All settings. Each one is defined here and nowhere else.

The first of these that gives a value wins: the command line, a line of secrets_file, `TWOWAY_X`,
a line of `HOME/settings.toml`, the default. `x_file` gives a secret `x` as the content of a file.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.notice_settings import NoticeSettings
from pipeline.report_settings import ReportSettings
from pipeline.setting_sources import PREFIX, SETTINGS_FILE, SettingsError, given_values

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PREFIX", "SECRETS", "SETTINGS_FILE", "Settings", "SettingsError", "load_settings"]


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


def _secret(help: str) -> Any:
    return field(default="", metadata={"help": help, "secret": True})


@dataclass(frozen=True, kw_only=True)
class Settings(ReportSettings, NoticeSettings):
    """What can be set. Durations carry their unit in the name."""

    home: Path = _setting(
        Path(".twoway"), "Folder of the local stack: its data, logs, number directory and clock."
    )
    secrets_file: str = _setting(
        "", "File with more lines as in settings.toml, for secrets; -: standard input."
    )
    kafka: str = _setting(
        "", "Bootstrap servers, comma-separated; empty: the local stack found under home."
    )
    kafka_security_protocol: str = _setting(
        "PLAINTEXT", "Kafka's security.protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: str = _setting(
        "", "Its sasl.mechanism: SCRAM-SHA-256, SCRAM-SHA-512, PLAIN or OAUTHBEARER."
    )
    kafka_sasl_username: str = _setting("", "Its user, for SCRAM and PLAIN.")
    kafka_sasl_password: str = _secret("The password of kafka_sasl_username.")
    kafka_sasl_oauthbearer_token_endpoint_url: str = _setting(
        "", "Where OAUTHBEARER gets a token: https://…, or file:///… that another program renews."
    )
    kafka_sasl_oauthbearer_client_id: str = _setting("", "Client id for that address.")
    kafka_sasl_oauthbearer_client_secret: str = _secret("The secret of that client id.")
    kafka_sasl_oauthbearer_scope: str = _setting("", "Scope to ask for at that address.")
    kafka_ssl_ca_location: str = _setting(
        "", "Certificates (PEM) to trust as Kafka's; empty: those the system trusts."
    )
    kafka_ssl_certificate_location: str = _setting(
        "", "Our certificate chain (PEM), where Kafka asks for one (mutual TLS)."
    )
    kafka_ssl_key_location: str = _setting(
        "", "Private key (PEM) of that certificate; empty: it is in the same file."
    )
    kafka_ssl_key_password: str = _secret("Password of that private key.")
    kafka_ssl_endpoint_identification_algorithm: str = _setting(
        "https", "https: Kafka's certificate must have the name we call; none: any name will do."
    )
    kafka_reader_password: str = _secret(
        "Password of the user twoway-reader, made with the topics for others; empty: none is made."
    )
    partitions: int = _setting(
        12, "Partitions of every topic, fixed for the life of an installation."
    )
    replication_factor: int = _setting(1, "Copies of every partition; 3 in production.")
    min_insync_replicas: int = _setting(
        1, "Copies that must have a record before it is acknowledged; 2 in production."
    )
    instance: str = _setting(
        "", "Name of this worker; a restart keeps it (static group membership); empty: none."
    )
    instances: str = _setting(
        "",
        "Folder of one machine's workers: each takes a free name and home in it; empty: none.",
    )
    stall_seconds: float = _setting(
        120.0, "A worker stops when it has work and completes none for this long; above 90."
    )

    hang_seconds: float = _setting(
        60.0, "A process ends, to be restarted, when its event loop stands still this long; 0: off."
    )

    numbers: str = _setting("", "The number directory; empty: numbers.toml under home.")
    account: str = _setting("main", "Account of the numbers for which the directory names none.")
    dedupe_horizon_hours: int = _setting(168, "How long a part is remembered as seen; at least 72.")
    assembly_spread_minutes: int = _setting(
        60, "Parts join only when their gateway times lie within this."
    )
    assembly_timeout_minutes: int = _setting(
        1440, "An incomplete message is released this long after its last part; above 254."
    )
    confirmation_lead_minutes: int = _setting(
        15, "The default confirmation goes out this long before the six hours end."
    )
    max_parts: int = _setting(3, "Longest MT, in parts.")
    mt_validity_hours: int = _setting(
        24, "An MT is not sent later than this after its decision, if its request has no not_after."
    )
    default_charset: str = _setting(
        "ISO-8859-1", "Charset of a part that names none (G8.3.1, 'when applicable')."
    )

    http_host: str = _setting("127.0.0.1", "Address the ingest service listens on.")
    http_port: int = _setting(8080, "Port of the ingest service; 0 picks a free one.")
    report_host: str = _setting("127.0.0.1", "Address the report listens on.")
    report_port: int = _setting(8081, "Port of the report; 0 picks a free one.")
    kafka_port: int = _setting(9092, "Port of the local stack's broker; 0 picks a free one.")
    metrics_host: str = _setting("127.0.0.1", "Address a worker's /metrics listens on.")
    metrics_port: int = _setting(0, "Port of a worker's /metrics; 0: none.")
    tokens: str = _secret("Shared tokens accepted in the path, comma-separated.")
    basic_auth: str = _secret("user:password pairs accepted by Basic auth, comma-separated.")
    allow: str = _setting("", "Addresses or networks that may call, comma-separated.")
    trusted_proxies: str = _setting("", "Proxies whose X-Forwarded-For counts, comma-separated.")
    host_names: str = _setting(
        "",
        "Further names (beside localhost and 127.0.0.1) that loopback callers may use as the Host,"
        " comma-separated.",
    )
    tls_cert: str = _setting("", "Certificate chain (PEM) to serve https.")
    tls_key: str = _setting("", "Private key (PEM) of tls_cert.")
    body_limit_bytes: int = _setting(65536, "Largest request body.")
    acknowledge_timeout_ms: int = _setting(
        2500, "How long ingest waits for Kafka before it answers 503."
    )

    smpp_host: str = _setting("", "The gateway's SMPP host (twoway smpp).")
    smpp_port: int = _setting(3550, "Port of smpp_host.")
    smpp_system_id: str = _setting("", "System id to bind with: the API's user name.")
    smpp_password: str = _secret("Password of smpp_system_id, at most 8 characters.")
    smpp_system_type: str = _setting("", "System type to bind with: the api_id.")
    smpp_bind: str = _setting("transceiver", "How to bind: receiver or transceiver.")
    smpp_tls: str = _setting(
        "on", "on: TLS; off: no TLS, to loopback only; plain: no TLS, over any network."
    )
    smpp_ca: str = _setting("", "Certificates (PEM) to trust; empty: those the system trusts.")
    smpp_default_alphabet: str = _setting("gsm7", "What data_coding 0 means: gsm7 or latin1.")
    smpp_window: int = _setting(1000, "At most so many deliver_sm wait for an answer at a time.")
    smpp_enquire_seconds: float = _setting(
        30.0, "An idle bind gets an enquire_link this often; without an answer for as long it ends."
    )

    ftp_host: str = _setting("", "The FTP server that holds mo.log (twoway ftp).")
    ftp_port: int = _setting(21, "Port of ftp_host.")
    ftp_user: str = _setting("", "User to log in as.")
    ftp_password: str = _secret("The user's password.")
    ftp_path: str = _setting("mo.log", "The log, as the user sees it on the server.")
    ftp_tls: str = _setting(
        "on",
        "on: explicit TLS, for data too; off: no TLS, to loopback only; plain: no TLS, over any"
        " network.",
    )
    ftp_ca: str = _setting("", "Certificates (PEM) to trust; empty: those the system trusts.")
    ftp_poll_seconds: float = _setting(30.0, "Pause between the end of a poll and the next poll.")

    apis: str = _setting("", "The APIs to send by (twoway sender); empty: apis.toml under home.")

    deliver_smpp_host: str = _setting(
        "127.0.0.1", "Address on which deliver listens for applications that bind by SMPP."
    )
    deliver_smpp_port: int = _setting(
        0, "Port of deliver_smpp_host; 0: none. With tls_cert by TLS, else on loopback only."
    )
    reply_secrets_file: str = _setting(
        "",
        "Secrets of the reply paths (twoway deliver); empty: reply-secrets.toml under home.",
    )

    suppression_key: str = _setting(
        "",
        "File with the key of the suppressions (stops of forgotten handsets); empty:"
        " HOME.suppression-key.",
    )
    clickhouse: str = _secret(
        "URL of a ClickHouse server, http or https; empty: the embedded engine under home."
    )
    clickhouse_user: str = _setting("", "Its user; empty: the one in the URL, or default.")
    clickhouse_password: str = _secret("Password of clickhouse_user.")
    clickhouse_ca: str = _setting(
        "", "Certificates (PEM) to trust as ClickHouse's; empty: those the system trusts."
    )
    clickhouse_seconds: float = _setting(
        60.0, "How long a ClickHouse server may take for one answer, erasures included."
    )
    block_rows: int = _setting(50_000, "The store writes a block when it has this many rows.")
    block_seconds: float = _setting(1.0, "The store writes a block when it is this old.")
    log_level: str = _setting("info", "debug, info, warning or error.")
    otel_endpoint: str = _setting(
        "", "Collector for traces: http(s)://host:4318, by OTLP over HTTP; empty: no traces."
    )
    log_format: str = _setting("words", "words, or json: one object a line, for a collector.")

    def __post_init__(self) -> None:
        if self.dedupe_horizon_hours < 72:
            raise SettingsError("dedupe_horizon_hours must be at least 72")
        if self.assembly_timeout_minutes <= 254:
            raise SettingsError(
                "assembly_timeout_minutes must be above 254, the gateway's last retry (G8.3.1)"
            )
        if self.stall_seconds <= 90:
            raise SettingsError("stall_seconds must be above 90: the clients' time-outs add to it")
        if self.otel_endpoint and not self.otel_endpoint.startswith(("http://", "https://")):
            raise SettingsError("otel_endpoint must begin with http:// or https://")
        if self.log_format not in ("words", "json"):
            raise SettingsError("log_format must be words or json")
        if self.replication_factor < self.min_insync_replicas:
            raise SettingsError("min_insync_replicas must not exceed replication_factor")


#: The settings that are secrets: each may be given as the content of a file, by `x_file`.
SECRETS: Final = frozenset(each.name for each in fields(Settings) if "secret" in each.metadata)


def load_settings(
    *, environment: Mapping[str, str] = os.environ, command_line: Mapping[str, Any] | None = None
) -> Settings:
    """The settings in force; raises `SettingsError` for an unknown or unreadable setting."""
    values = given_values(
        {each.name: str(each.type) for each in fields(Settings)},
        secrets=SECRETS,
        home=Settings.home,
        environment=environment,
        command_line=command_line or {},
    )
    return dataclasses.replace(Settings(), **values)
