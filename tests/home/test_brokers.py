"""The login of the settings: what is refused before anything starts, and what is not shown."""

from __future__ import annotations

import ssl
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
import trustme

from pipeline.home.brokers import Brokers, KafkaLogin, login_from, login_to
from pipeline.home.stack import bootstrap_of
from pipeline.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

HUSH = "hush-hush"
SASL = {
    "kafka_security_protocol": "SASL_PLAINTEXT",
    "kafka_sasl_mechanism": "SCRAM-SHA-512",
    "kafka_sasl_username": "ann",
    "kafka_sasl_password": HUSH,
}
TOKENS = {
    "kafka_sasl_mechanism": "OAUTHBEARER",
    "kafka_sasl_oauthbearer_token_endpoint_url": "https://tokens.invalid/",
    "kafka_sasl_oauthbearer_client_id": "ours",
    "kafka_sasl_oauthbearer_client_secret": HUSH,
}


def login(**given: str) -> KafkaLogin:
    return login_from(Settings(kafka="k:9092", **given))  # type: ignore[arg-type]


def test_the_default_is_what_a_local_stack_has() -> None:
    assert login() == KafkaLogin() == login_to("127.0.0.1:9092")


def test_an_address_with_a_login_is_the_same_string() -> None:
    brokers = bootstrap_of(Settings(kafka="a:1,b:2", **SASL))  # type: ignore[arg-type]
    assert isinstance(brokers, Brokers)
    assert brokers == "a:1,b:2"
    assert f"{brokers}" == "a:1,b:2"
    assert login_to(brokers).username == "ann"


def test_a_login_does_not_show_its_secrets() -> None:
    shown = repr(login(**SASL)) + repr(login(**SASL | TOKENS)) + login(**SASL).who
    assert HUSH not in shown
    secret = {each.name for each in fields(KafkaLogin) if not each.repr}
    assert secret == {"password", "client_secret"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        pytest.param({"kafka_security_protocol": "TLS"}, "must be one of PLAINTEXT", id="protocol"),
        pytest.param(SASL | {"kafka_sasl_mechanism": "GSSAPI"}, "SCRAM-SHA-256", id="mechanism"),
        pytest.param(SASL | {"kafka_sasl_password": ""}, "kafka_sasl_password is", id="password"),
        pytest.param(SASL | {"kafka_sasl_username": ""}, "kafka_sasl_username is", id="user"),
        pytest.param({"kafka_sasl_username": "ann"}, "has no effect", id="SASL without a protocol"),
        pytest.param(
            {"kafka_security_protocol": "SSL", "kafka_ssl_ca_location": "/no/such"},
            "kafka_ssl_ca_location: /no/such: No such file",
            id="no CA",
        ),
        pytest.param(
            {"kafka_security_protocol": "SSL", "kafka_ssl_ca_location": __file__},
            "kafka_ssl_ca_location: .*: ",
            id="no certificate in the CA's file",
        ),
        pytest.param(
            {"kafka_security_protocol": "SSL", "kafka_ssl_certificate_location": "/no/such"},
            "kafka_ssl_certificate_location.*: /no/such: No such file",
            id="no certificate of ours",
        ),
        pytest.param(
            {
                "kafka_security_protocol": "SSL",
                "kafka_ssl_endpoint_identification_algorithm": "off",
            },
            "must be one of https",
            id="algorithm",
        ),
        pytest.param(
            SASL | TOKENS | {"kafka_sasl_oauthbearer_client_id": ""}, "client_id is", id="client"
        ),
        pytest.param(
            SASL | TOKENS | {"kafka_sasl_oauthbearer_token_endpoint_url": "tokens.invalid"},
            "must begin with https://",
            id="endpoint",
        ),
    ],
)
def test_a_login_that_cannot_work_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        login(**given)
    assert HUSH not in str(refused.value)


@pytest.mark.parametrize(("algorithm", "checks"), [("https", True), ("none", False), ("", False)])
def test_names_are_checked_unless_that_is_left_out(algorithm: str, checks: bool) -> None:
    context = login(
        kafka_security_protocol="SSL", kafka_ssl_endpoint_identification_algorithm=algorithm
    ).tls
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is checks


def test_a_key_with_a_password_is_opened_and_a_wrong_one_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    made = trustme.CA().issue_cert("two-way.invalid")
    key = load_pem_private_key(made.private_key_pem.bytes(), None)
    locked = BestAvailableEncryption(HUSH.encode())
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)
    (tmp_path / "key.pem").write_bytes(octets)
    made.cert_chain_pems[0].write_to_path(tmp_path / "chain.pem")
    given = {
        "kafka_security_protocol": "SSL",
        "kafka_ssl_certificate_location": str(tmp_path / "chain.pem"),
        "kafka_ssl_key_location": str(tmp_path / "key.pem"),
    }
    assert login(**given, kafka_ssl_key_password=HUSH).tls is not None
    for wrong in ("another", ""):
        with pytest.raises(SettingsError, match="kafka_ssl_key_password"):
            login(**given, kafka_ssl_key_password=wrong)
