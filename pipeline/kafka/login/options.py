"""What every client of Kafka is made with: the address and the login there.

No client is made without it; a test looks for one (tests/kafka/login/test_every_client.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.home.brokers import OAUTHBEARER, WITH_SASL, login_to
from pipeline.kafka.committed import read_errors_of_groups
from pipeline.kafka.login.closing import close_at_once
from pipeline.kafka.login.connections import end_where_refused
from pipeline.kafka.login.tokens import AiokafkaTokens, Tokens
from pipeline.kafka.registered_brokers import begin_with_brokers

if TYPE_CHECKING:
    from pipeline.home.brokers import KafkaLogin
    from pipeline.kafka.login.kafka_python import KafkaPythonTokens


def serving_options(bootstrap: str) -> dict[str, Any]:
    """For a client of aiokafka in a process that serves: a refused login ends the process."""
    end_where_refused()
    read_errors_of_groups()
    begin_with_brokers()
    return aiokafka_options(bootstrap)


def aiokafka_options(bootstrap: str) -> dict[str, Any]:
    """For a client of aiokafka in a command."""
    close_at_once()
    login = login_to(bootstrap)
    return {
        "bootstrap_servers": str(bootstrap),
        **_options_of(login),
        **_tokens_of(login, AiokafkaTokens),
    }


def kafka_python_options(bootstrap: str) -> dict[str, Any]:
    """For every client of kafka-python."""
    from pipeline.kafka.left_sockets import close_what_is_left
    from pipeline.kafka.login.kafka_python import KafkaPythonTokens  # loads kafka-python
    from pipeline.kafka.offsets_again import ask_after_a_pause

    close_what_is_left()
    ask_after_a_pause()
    login = login_to(bootstrap)
    return {
        "bootstrap_servers": [each.strip() for each in bootstrap.split(",")],
        **_options_of(login),
        **_tokens_of(login, KafkaPythonTokens),
    }


def _options_of(login: KafkaLogin) -> dict[str, Any]:
    """The options whose names both libraries share; only those that differ from the default."""
    options: dict[str, Any] = {"security_protocol": login.protocol}
    if login.tls is not None:
        options["ssl_context"] = login.tls
    if login.protocol in WITH_SASL:
        options["sasl_mechanism"] = login.mechanism
    if login.username:
        options |= {
            "sasl_plain_username": login.username,
            "sasl_plain_password": login.password,
        }
    return options


def _tokens_of(login: KafkaLogin, kind: type[AiokafkaTokens | KafkaPythonTokens]) -> dict[str, Any]:
    if login.mechanism != OAUTHBEARER:
        return {}
    return {"sasl_oauth_token_provider": kind(Tokens.shared_by(login))}
