"""Why Kafka and a client of ours do not accept each other, in words that name the setting.

A broker that is away is no refusal: that is tried again. A refusal stays until somebody changes a
setting, a password or a certificate.
"""

from __future__ import annotations

import ssl
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from aiokafka import errors as aiokafka_errors

from pipeline.process.peer_words import peer_words

if TYPE_CHECKING:
    from collections.abc import Iterator

#: OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH.
OTHER_NAMES: Final = frozenset({62, 64})
#: A server that answers something else than TLS, as a listener without TLS does.
NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE"})
CHAINED: Final = 8


class _Kinds(NamedTuple):
    """Errors of both of Kafka's libraries by what they mean."""

    wrong_password: tuple[type[Exception], ...]
    no_mechanism: tuple[type[Exception], ...]
    no_sasl: tuple[type[Exception], ...]
    not_allowed: tuple[type[Exception], ...]


@cache
def _kinds() -> _Kinds:
    from kafka import errors as kafka_errors  # most processes serve without kafka-python

    return _Kinds(
        wrong_password=(
            aiokafka_errors.SaslAuthenticationFailed,
            kafka_errors.SaslAuthenticationFailedError,
        ),
        no_mechanism=(
            aiokafka_errors.UnsupportedSaslMechanismError,
            kafka_errors.UnsupportedSaslMechanismError,
        ),
        no_sasl=(aiokafka_errors.IllegalSaslStateError, kafka_errors.IllegalSaslStateError),
        not_allowed=(
            aiokafka_errors.TopicAuthorizationFailedError,
            aiokafka_errors.GroupAuthorizationFailedError,
            aiokafka_errors.ClusterAuthorizationFailedError,
            aiokafka_errors.TransactionalIdAuthorizationFailed,
            kafka_errors.AuthorizationError,
        ),
    )


class KafkaLoginRefused(aiokafka_errors.KafkaError):  # type: ignore[misc]
    """There is no login until somebody changes something; the words say what, without a secret."""

    def __str__(self) -> str:
        """The words alone; Kafka's libraries would put the name of the class before them."""
        return " ".join(map(str, self.args))


def why_refused(error: BaseException, *, server: str, who: str) -> str:
    """Why `server`, host:port, and `who` do not accept each other; empty for another error."""
    for each in _chain(error):
        if words := _words_of(each, who):
            return f"Kafka at {server}: {words}"
    return ""


def why_not_allowed(error: BaseException) -> str:
    """Which permission is missing, where Kafka's ACLs refuse a request; else empty."""
    for each in _chain(error):
        if isinstance(each, _kinds().not_allowed):
            what = peer_words(" ".join(str(arg) for arg in each.args))
            kind = type(each).__name__.partition("Authorization")[0].lower() or "request"
            return (
                f"Kafka's ACLs refuse the {kind} {what}".rstrip()
                + ": `python -m deploy.kafka_acls` prints the ACLs that each process needs"
            )
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    for _ in range(CHAINED):
        if at is None:
            return
        yield at
        at = at.__cause__ or at.__context__


def _words_of(error: BaseException, who: str) -> str:
    match error:
        case KafkaLoginRefused():
            return str(error)
        case ssl.SSLCertVerificationError(verify_code=code) if code in OTHER_NAMES:
            return (
                f"its certificate is for another name: {error.verify_message} (name it as the"
                " certificate does, or set kafka_ssl_endpoint_identification_algorithm)"
            )
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message} (kafka_ssl_ca_location)"
        case ssl.SSLError(reason=str(reason)) if reason in NO_TLS:
            return "it does not speak TLS (kafka_security_protocol)"
        case ssl.SSLError(reason=str(reason)) if "ALERT" in reason:
            return (
                f"it refuses our certificate, or there is none: {reason}"
                " (kafka_ssl_certificate_location)"
            )
    kinds = _kinds()
    if isinstance(error, kinds.wrong_password):
        return f"it refuses {who}: {_said(error)} (kafka_sasl_username, kafka_sasl_password)"
    if isinstance(error, kinds.no_mechanism):
        return f"it does not offer this mechanism: {_said(error)} (kafka_sasl_mechanism)"
    if isinstance(error, kinds.no_sasl):
        return "this listener knows no SASL (kafka_security_protocol)"
    return ""


def _said(error: BaseException) -> str:
    words = " ".join(str(arg) for arg in error.args)
    return peer_words(words) or type(error).__name__
