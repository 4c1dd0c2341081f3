"""A login that Kafka refuses ends a process that serves; aiokafka would try for ever.

Written against aiokafka 0.14.0, which is pinned. It logs each refused login as a failure to
connect, and all its clients try again (deploy/decisions/0152).
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, OAuthAuthenticator
from aiokafka.errors import SaslAuthenticationFailed

from pipeline.home.brokers import PLAINTEXT
from pipeline.kafka.login.refusal import KafkaLoginRefused, why_refused
from pipeline.process.peer_words import peer_words
from pipeline.process.stop import stop_for

CLOSE_SECONDS: Final = 0.2

_connect: Final = AIOKafkaConnection.connect
_step: Final = OAuthAuthenticator.step


async def _step_or_refused(authenticator: Any, payload: bytes | None) -> Any:
    """aiokafka's step, which takes any answer to a token for a yes.

    A broker that refuses a token answers with the reason in JSON (RFC 7628 3.2.2).
    """
    if payload:
        raise SaslAuthenticationFailed(peer_words(payload))
    return await _step(authenticator, payload)


OAuthAuthenticator.step = _step_or_refused


async def _connect_or_end(connection: Any) -> Any:
    """aiokafka's function; a refused login ends the process, with words."""
    try:
        return await _connect(connection)
    except Exception as error:
        if connection._security_protocol == PLAINTEXT:  # noqa: SLF001 - nothing was asked for
            raise
        words = why_refused(
            _in_login(error, connection),
            server=f"{connection.host}:{connection.port}",
            who=f"user {connection._sasl_plain_username or 'of the token'}",  # noqa: SLF001
        )
        if words:
            stop_for(words)
        raise


def _in_login(error: Exception, connection: Any) -> Exception:
    """As aiokafka raises it; a broker's wrong proof in SCRAM is a `ValueError` there."""
    is_scram = str(connection._sasl_mechanism).startswith("SCRAM")  # noqa: SLF001
    if isinstance(error, ValueError) and is_scram and not isinstance(error, OSError):
        return KafkaLoginRefused("it does not prove that it knows our password (RFC 5802 3)")
    return error


def end_where_refused() -> None:
    """From now on a refused login ends this process, whichever client of aiokafka meets it."""
    AIOKafkaConnection.connect = _connect_or_end


async def log_in_once(server: str, *, options: dict[str, Any], who: str, seconds: float) -> None:
    """Connect and log in once; raises `KafkaLoginRefused`, `KafkaError` or `OSError`."""
    host, _, port = server.rpartition(":")
    given = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    connection = AIOKafkaConnection(
        host.strip("[]"), int(port), request_timeout_ms=round(seconds * 1000), **given
    )
    try:
        await _connect(connection)
    except Exception as error:
        in_login = _in_login(error, connection)
        if words := why_refused(in_login, server=server, who=who):
            raise KafkaLoginRefused(words) from error
        raise
    finally:
        # Where TLS failed there is nothing to close, and nobody says that it is closed.
        await asyncio.wait([connection.close()], timeout=CLOSE_SECONDS)
