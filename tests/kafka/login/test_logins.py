"""Every login that the settings can name, with both libraries, at a real broker."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Final

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaAdminClient, KafkaConsumer

from pipeline.cli.ask.broker import knock
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.stack import bootstrap_of
from pipeline.kafka.login.options import aiokafka_options, kafka_python_options
from pipeline.settings import Settings
from tests.kafka.login.conftest import TOPIC, USER
from tests.support.secured_kafka import OF_PLAIN, SecuredKafka, unsigned_token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET: Final = "secret-of-ours"
WRONG: Final = "quite-another"

pytestmark = pytest.mark.broker


class TokenEndpoint(BaseHTTPRequestHandler):
    """Gives a token for the right client, as RFC 6749 4.4 has it."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(self.rfile.read(length).decode())
        is_ours = self.headers["Authorization"] == "Basic b3VyczpzZWNyZXQtb2Ytb3Vycw=="
        answer = {"access_token": unsigned_token("twoway-token"), "expires_in": 600}
        self.send_response(200 if is_ours else 401)
        self.end_headers()
        self.wfile.write(json.dumps(answer if is_ours else {"error": "invalid_client"}).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), TokenEndpoint)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    thread.join()
    server.server_close()


def with_mutual_tls(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    return Settings(
        kafka=broker.mutual,
        kafka_security_protocol="SSL",
        kafka_ssl_ca_location=str(broker.ca),
        kafka_ssl_certificate_location=str(broker.certificate("twoway-mutual")),
    )


def with_token_file(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    file = folder / "token"
    file.write_text(unsigned_token("twoway-file") + "\n")
    return replace(
        with_token(broker, folder, endpoint),
        kafka_sasl_oauthbearer_token_endpoint_url=file.as_uri(),
        kafka_sasl_oauthbearer_client_secret="",
    )


def with_token(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    return replace(
        Settings(**broker.settings(mechanism="OAUTHBEARER")),  # type: ignore[arg-type]
        kafka_sasl_oauthbearer_token_endpoint_url=endpoint,
        kafka_sasl_oauthbearer_client_id="ours",
        kafka_sasl_oauthbearer_client_secret=SECRET,
        kafka_sasl_oauthbearer_scope="kafka",
    )


def by_password(user: str, mechanism: str) -> Callable[..., Settings]:
    return lambda broker, *_: Settings(**broker.settings(user, mechanism))


LOGINS = [
    pytest.param(by_password(USER, "SCRAM-SHA-256"), id="SCRAM-SHA-256"),
    pytest.param(by_password(USER, "SCRAM-SHA-512"), id="SCRAM-SHA-512"),
    pytest.param(by_password(OF_PLAIN, "PLAIN"), id="PLAIN"),
    pytest.param(with_token, id="OAUTHBEARER from an endpoint"),
    pytest.param(with_token_file, id="OAUTHBEARER from a file"),
    pytest.param(with_mutual_tls, id="mutual TLS"),
]


async def write_and_read(bootstrap: str, value: bytes) -> list[bytes]:
    """Write with aiokafka, and all values that are there then."""
    producer = AIOKafkaProducer(**aiokafka_options(bootstrap), enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value)
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        TOPIC, **aiokafka_options(bootstrap), auto_offset_reset="earliest", group_id=None
    )
    await consumer.start()
    try:
        found = await consumer.getmany(timeout_ms=10_000)
    finally:
        await consumer.stop()
    return [record.value for records in found.values() for record in records]


@pytest.mark.parametrize("settings_for", LOGINS)
def test_a_login_of_the_settings_writes_and_reads(
    secured: SecuredKafka, endpoint: str, tmp_path: Path, settings_for: Callable[..., Settings]
) -> None:
    bootstrap = bootstrap_of(settings_for(secured, tmp_path, endpoint))
    value = f"by {bootstrap.login.who} with {bootstrap.login.mechanism}".encode()

    assert value in asyncio.run(write_and_read(bootstrap, value))
    knock(bootstrap)
    with closing(KafkaAdminClient(**kafka_python_options(bootstrap))) as admin:
        assert TOPIC in admin.list_topics()
    consumer = KafkaConsumer(
        TOPIC,
        **kafka_python_options(bootstrap),
        auto_offset_reset="earliest",
        group_id=None,
        consumer_timeout_ms=10_000,
    )
    with closing(consumer):
        assert value in {next(consumer).value for _ in range(1)} | {
            record.value for records in consumer.poll(2_000).values() for record in records
        }


def test_clients_of_one_login_share_a_token(secured: SecuredKafka, endpoint: str) -> None:
    settings = replace(
        with_token(secured, secured.home, endpoint), kafka_sasl_oauthbearer_scope="x"
    )
    before = len(TokenEndpoint.asked)
    for value in (b"one", b"two"):
        asyncio.run(write_and_read(bootstrap_of(settings), value))
    (asked,) = TokenEndpoint.asked[before:]
    assert asked == "grant_type=client_credentials&scope=x"


def other_authority(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    other = SecuredKafka(home=folder / "other", partitions=1)
    other.certificates.mkdir(parents=True)
    other._authority.cert_pem.write_to_path(other.ca)
    given = broker.settings(USER) | {"kafka_ssl_ca_location": str(other.ca)}
    return Settings(**given)  # type: ignore[arg-type]


def other_name(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    port = broker.sasl.partition(":")[2]
    return Settings(**broker.settings(USER) | {"kafka": f"localhost:{port}"})  # type: ignore[arg-type]


def changed(**settings: str) -> Callable[..., Settings]:
    return lambda broker, *_: Settings(**broker.settings(USER) | settings)


def wrong_secret(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    return replace(with_token(broker, folder, endpoint), kafka_sasl_oauthbearer_client_secret=WRONG)


def token_of_the_past(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    settings = with_token_file(broker, folder, endpoint)
    (folder / "token").write_text(unsigned_token("twoway-file", seconds=-600))
    return settings


def no_token_file(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    settings = with_token_file(broker, folder, endpoint)
    (folder / "token").unlink()
    return settings


def without_certificate(broker: SecuredKafka, folder: Path, endpoint: str) -> Settings:
    return replace(with_mutual_tls(broker, folder, endpoint), kafka_ssl_certificate_location="")


def without_tls(broker: SecuredKafka, *_: Any) -> Settings:
    return Settings(**broker.settings(USER) | {"kafka": broker.bootstrap})  # type: ignore[arg-type]


def without_sasl(broker: SecuredKafka, *_: Any) -> Settings:
    given = broker.settings(USER) | {
        "kafka": broker.bootstrap,
        "kafka_security_protocol": "SASL_PLAINTEXT",
    }
    return Settings(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings_for", "words"),
    [
        pytest.param(
            changed(kafka_sasl_password=WRONG),
            f"refuses user {USER}.*kafka_sasl_password",
            id="wrong password",
        ),
        pytest.param(
            changed(kafka_sasl_username="nobody-there"),
            "refuses user nobody-there",
            id="unknown user",
        ),
        pytest.param(
            changed(kafka_sasl_mechanism="PLAIN"), "refuses user", id="another mechanism's user"
        ),
        pytest.param(other_authority, r"not trusted.*kafka_ssl_ca_location", id="unknown CA"),
        pytest.param(other_name, "is for another name", id="another name"),
        pytest.param(
            without_certificate, "refuses our certificate, or there is none", id="no certificate"
        ),
        pytest.param(without_tls, "a listener for SASL_SSL", id="no TLS there"),
        pytest.param(without_sasl, "knows no SASL", id="no SASL there"),
        pytest.param(wrong_secret, "answers 401.*client_secret", id="wrong client secret"),
        pytest.param(token_of_the_past, "refuses user", id="expired token"),
        pytest.param(no_token_file, "token", id="no token file"),
    ],
)
def test_a_login_that_is_refused_is_explained(
    secured: SecuredKafka,
    endpoint: str,
    tmp_path: Path,
    settings_for: Callable[..., Settings],
    words: str,
) -> None:
    bootstrap = bootstrap_of(settings_for(secured, tmp_path, endpoint))
    with pytest.raises(CommandError, match=words) as refused:
        knock(bootstrap)
    assert WRONG not in str(refused.value)
