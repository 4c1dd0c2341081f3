"""A real broker with TLS, SASL and ACLs that deny by default, beside its open listener.

Listeners on loopback: `bootstrap` is the open one, whose user is ANONYMOUS and may do all, as
inside a compose network; `sasl` has TLS and SASL, `mutual` TLS with a client's certificate.
"""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PASSWORD: Final = "the-password-of-all"
OF_PLAIN: Final = "twoway-plain"
_JAAS: Final = "org.apache.kafka.common.security"

_PROPERTIES: Final = """
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller},SASL://{host}:{sasl},MUTUAL://{host}:{mutual}
advertised.listeners=BROKER://{host}:{port},SASL://{host}:{sasl},MUTUAL://{host}:{mutual}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=SCRAM-SHA-256,SCRAM-SHA-512,PLAIN,OAUTHBEARER
listener.name.sasl.scram-sha-256.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
listener.name.sasl.scram-sha-512.sasl.jaas.config={jaas}.scram.ScramLoginModule required;
listener.name.sasl.plain.sasl.jaas.config={jaas}.plain.PlainLoginModule required user_{plain}="{password}";
listener.name.sasl.oauthbearer.sasl.jaas.config={jaas}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT
"""  # noqa: E501 - as Kafka reads them


class SecuredKafka(LocalKafka):
    """Start it as a `LocalKafka`; certificates are made beside its data."""

    def __init__(self, *, home: Path, partitions: int) -> None:
        super().__init__(home=home, partitions=partitions)
        taken = {self.port, self._controller_port}
        self._sasl_port = free_port(avoid=taken)
        self._mutual_port = free_port(avoid=taken | {self._sasl_port})
        self.certificates = home / "certificates"
        self._authority = trustme.CA()

    @property
    def sasl(self) -> str:
        """The address with TLS and SASL."""
        return f"{LOOPBACK}:{self._sasl_port}"

    @property
    def mutual(self) -> str:
        """The address with TLS for clients that have a certificate."""
        return f"{LOOPBACK}:{self._mutual_port}"

    @property
    def ca(self) -> Path:
        """The certificate that signed the broker's."""
        return self.certificates / "ca.pem"

    def _format(self, java_line: list[str], properties: Path) -> None:
        self.certificates.mkdir(parents=True, exist_ok=True)
        self._authority.cert_pem.write_to_path(self.ca)
        self.certificate("broker", LOOPBACK)
        more = _PROPERTIES.format(
            host=LOOPBACK,
            port=self.port,
            controller=self._controller_port,
            sasl=self._sasl_port,
            mutual=self._mutual_port,
            folder=self.certificates,
            jaas=_JAAS,
            plain=OF_PLAIN,
            password=PASSWORD,
        )
        with properties.open("a") as file:
            file.write(more)
        super()._format(java_line, properties)

    def certificate(self, user: str, *names: str) -> Path:
        """A file with a certificate of `user` and its key (PKCS 8, as Kafka reads it)."""
        made = self._authority.issue_cert(*(names or (f"{user}.invalid",)), common_name=user)
        key = load_pem_private_key(made.private_key_pem.bytes(), None)
        octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = self.certificates / f"{user}.pem"
        file.write_bytes(octets + b"".join(each.bytes() for each in made.cert_chain_pems))
        return file

    def add_users(self, users: Iterable[str]) -> None:
        """Users with `PASSWORD`, for both mechanisms of SCRAM."""
        named = list(users)
        with closing(self.admin()) as admin:
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                answer = admin.alter_user_scram_credentials(
                    [UserScramCredentialUpsertion(user, mechanism, PASSWORD) for user in named]
                )
                assert set(answer.values()) == {None}, answer

    def admin(self) -> Any:
        """A client that may do all."""
        return KafkaAdminClient(bootstrap_servers=self.bootstrap)

    def settings(self, user: str = "", mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """The settings of a process that logs in as this user."""
        return {
            "kafka": self.sasl,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": mechanism,
            "kafka_sasl_username": user,
            "kafka_sasl_password": PASSWORD,
            "kafka_ssl_ca_location": str(self.ca),
        }


def unsigned_token(user: str, *, seconds: int = 600) -> str:
    """A token as a broker takes it that has no key to check one (RFC 7519 6)."""
    now = int(time.time())
    claims = {"sub": user, "iat": now, "exp": now + seconds}
    parts = [json.dumps(each).encode() for each in ({"alg": "none"}, claims)]
    return ".".join(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in parts) + "."
