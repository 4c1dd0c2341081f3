"""Kafka's address together with the login there, from the settings with Kafka's own names."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from pipeline.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.settings import Settings

T = TypeVar("T")

PLAINTEXT: Final = "PLAINTEXT"
WITH_TLS: Final = frozenset({"SSL", "SASL_SSL"})
WITH_SASL: Final = frozenset({"SASL_PLAINTEXT", "SASL_SSL"})
PROTOCOLS: Final = (PLAINTEXT, "SSL", "SASL_PLAINTEXT", "SASL_SSL")
OAUTHBEARER: Final = "OAUTHBEARER"
WITH_PASSWORD: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
MECHANISMS: Final = (*WITH_PASSWORD, OAUTHBEARER)
NAMES_CHECKED: Final = "https"
NAMES_NOT_CHECKED: Final = ("none", "")
TOKEN_SCHEMES: Final = ("https://", "http://", "file://")


@dataclass(frozen=True, kw_only=True)
class KafkaLogin:
    """How a client logs in to Kafka. The default is what a local stack has: no TLS, no SASL."""

    protocol: str = PLAINTEXT
    mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, compare=False)
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""

    @property
    def who(self) -> str:
        """The principal in words, without a secret."""
        if self.protocol in WITH_SASL:
            return f"user {self.username or self.client_id or 'of the token'}"
        return "the client certificate" if self.protocol == "SSL" else "a client without a name"


class Brokers(str):
    """Kafka's bootstrap servers, with the login there. A plain string is a login without both.

    It is a string because every function takes the address as one (deploy/decisions/0152).
    """

    login: KafkaLogin

    def __new__(cls, servers: str, login: KafkaLogin) -> Brokers:
        """`servers` as the setting `kafka` has them: host:port, comma-separated."""
        self = super().__new__(cls, servers)
        self.login = login
        return self

    def __deepcopy__(self, _: dict[int, object]) -> Brokers:
        """Itself: neither the address nor the login ever changes, and TLS cannot be copied."""
        return self


def login_to(bootstrap: str) -> KafkaLogin:
    """The login of an address; without one, the default."""
    return bootstrap.login if isinstance(bootstrap, Brokers) else KafkaLogin()


def login_from(settings: Settings) -> KafkaLogin:
    """The login of the settings; raises `SettingsError` for one that cannot work."""
    protocol = settings.kafka_security_protocol
    _refuse_unless_one_of("kafka_security_protocol", protocol, PROTOCOLS)
    tls = _tls_from(settings) if protocol in WITH_TLS else None
    if protocol not in WITH_SASL:
        if settings.kafka_sasl_mechanism or settings.kafka_sasl_username:
            raise SettingsError(
                f"kafka_security_protocol is {protocol}, so kafka_sasl_… has no effect: set it to"
                " SASL_SSL, or leave out kafka_sasl_mechanism and kafka_sasl_username"
            )
        return KafkaLogin(protocol=protocol, tls=tls)
    mechanism = settings.kafka_sasl_mechanism
    _refuse_unless_one_of("kafka_sasl_mechanism", mechanism, MECHANISMS)
    if mechanism in WITH_PASSWORD:
        _refuse_without(settings, "kafka_sasl_username", "kafka_sasl_password", why=mechanism)
    else:
        _refuse_without(settings, "kafka_sasl_oauthbearer_token_endpoint_url", why=mechanism)
        url = settings.kafka_sasl_oauthbearer_token_endpoint_url
        if not url.startswith(TOKEN_SCHEMES):
            raise SettingsError(
                "kafka_sasl_oauthbearer_token_endpoint_url must begin with https:// or file://"
            )
        if not url.startswith("file:"):
            names = ("client_id", "client_secret")
            _refuse_without(
                settings, *(f"kafka_sasl_oauthbearer_{name}" for name in names), why=mechanism
            )
    return KafkaLogin(
        protocol=protocol,
        mechanism=mechanism,
        username=settings.kafka_sasl_username,
        password=settings.kafka_sasl_password,
        tls=tls,
        token_url=settings.kafka_sasl_oauthbearer_token_endpoint_url,
        client_id=settings.kafka_sasl_oauthbearer_client_id,
        client_secret=settings.kafka_sasl_oauthbearer_client_secret,
        scope=settings.kafka_sasl_oauthbearer_scope,
    )


def _refuse_unless_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"{name} must be one of {', '.join(known)}")


def _refuse_without(settings: Settings, *names: str, why: str) -> None:
    for name in names:
        if not getattr(settings, name):
            raise SettingsError(f"kafka_sasl_mechanism is {why}, and {name} is missing")


def _tls_from(settings: Settings) -> ssl.SSLContext:
    """TLS 1.2 or later, with Kafka's certificate and its name checked, and ours if we have one."""
    algorithm = settings.kafka_ssl_endpoint_identification_algorithm
    _refuse_unless_one_of(
        "kafka_ssl_endpoint_identification_algorithm",
        algorithm,
        (NAMES_CHECKED, *NAMES_NOT_CHECKED),
    )
    context = _loaded(
        "kafka_ssl_ca_location",
        settings.kafka_ssl_ca_location,
        lambda: ssl.create_default_context(cafile=settings.kafka_ssl_ca_location or None),
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = algorithm == NAMES_CHECKED
    if certificate := settings.kafka_ssl_certificate_location:
        key = settings.kafka_ssl_key_location or None
        # A function, because OpenSSL asks at the terminal where it is given no password.
        password = settings.kafka_ssl_key_password
        _loaded(
            "kafka_ssl_certificate_location, kafka_ssl_key_location or kafka_ssl_key_password",
            ", ".join(filter(None, (certificate, key))),
            lambda: context.load_cert_chain(certificate, key, password=lambda: password),
        )
    return context


def _loaded(names: str, files: str, load: Callable[[], T]) -> T:
    """The result of `load`; raises `SettingsError` with the words of what OpenSSL refuses."""
    try:
        return load()
    except ssl.SSLError as error:
        words = error.reason or "it is not what it should be"
        raise SettingsError(f"{names}: {files}: {words}") from error
    except OSError as error:
        raise SettingsError(f"{names}: {files}: {error.strerror}") from error
