"""The broker as the commands see it: clients of kafka-python, whose failures are `CommandError`."""

from __future__ import annotations

import asyncio
import logging
import socket
import traceback
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError as AiokafkaError
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from pipeline.avro.single_object import encode
from pipeline.cli.terminal.failure import CommandError
from pipeline.home.brokers import PLAINTEXT, login_to
from pipeline.kafka.client.limits import FRAME_OCTETS, MOST_FETCHED_OCTETS, SMALL_FRAME_OCTETS
from pipeline.kafka.login.connections import log_in_once
from pipeline.kafka.login.options import aiokafka_options, kafka_python_options
from pipeline.kafka.login.refusal import KafkaLoginRefused, why_not_allowed
from pipeline.process.peer_words import peer_words, words_of_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.records import Record

CONNECT_MS: Final = 5_000
ANSWER_MS: Final = 15_000
ACKNOWLEDGE_SECONDS: Final = 30
TRANSACTION_MS: Final = 10_000  # the broker aborts an open transaction then: readers wait for it


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A record to publish. Without `partition`, the key decides the partition, by murmur2."""

    topic: str
    record: Record
    key: bytes | None = None
    partition: int | None = None


def knock(bootstrap: str) -> None:
    """Raise `CommandError` unless one of the servers accepts a connection, and the login on it.

    The client itself would try for a long time, and then report the failure in many lines.
    """
    refusals = []
    for server in bootstrap.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            address = (host.strip("[]"), int(port))
        except ValueError:
            raise CommandError(f"{server.strip()!r} is not a broker's host:port") from None
        try:
            socket.create_connection(address, timeout=CONNECT_MS / 1000).close()
        except OSError as error:
            refusals.append(error.strerror or str(error))
            continue
        _log_in(server.strip(), bootstrap)
        return
    raise CommandError(f"the broker at {bootstrap} does not answer: {'; '.join(refusals)}")


def _log_in(server: str, bootstrap: str) -> None:
    """Raise `CommandError` if there is a login, and the server refuses it."""
    login = login_to(bootstrap)
    if login.protocol == PLAINTEXT:
        return
    seconds = CONNECT_MS / 1000
    options = aiokafka_options(bootstrap)
    try:
        asyncio.run(log_in_once(server, options=options, who=login.who, seconds=seconds))
    except KafkaLoginRefused as error:
        raise CommandError(str(error)) from error
    except (KafkaError, AiokafkaError, OSError) as error:
        words = words_of_error(error) or type(error).__name__
        raise CommandError(
            f"the broker at {server} ended the connection before the login, {words}: is it a"
            f" listener for {login.protocol} (kafka_security_protocol)?"
        ) from error


@contextmanager
def _opened(bootstrap: str, kind: Callable[..., Any], **options: Any) -> Iterator[Any]:
    """A client of the broker, closed at the end; a `KafkaError` becomes a `CommandError`."""
    client_lines = logging.getLogger("kafka")
    client_lines.addHandler(logging.NullHandler())
    client_lines.propagate = False
    knock(bootstrap)
    try:
        with kind(
            **kafka_python_options(bootstrap), bootstrap_timeout_ms=CONNECT_MS, **options
        ) as client:
            yield client
    except Exception as error:
        if not isinstance(error, KafkaError) and not _is_of_the_client(error):
            raise
        if words := why_not_allowed(error):
            raise CommandError(words) from error
        words = peer_words(f"{type(error).__name__}: {error}".rstrip(": "))
        raise CommandError(
            f"the broker at {bootstrap} does not answer as it should: {words}"
        ) from error


def _is_of_the_client(error: BaseException) -> bool:
    """Whether it was raised in kafka-python, which meets a liar's octets with any exception."""
    frames = traceback.walk_tb(error.__traceback__)
    names = [frame.f_globals.get("__name__", "") for frame, _ in frames]
    ours = max((at for at, name in enumerate(names) if name.startswith("pipeline.")), default=0)
    return any(name.partition(".")[0] == "kafka" for name in names[ours:])


def open_admin(bootstrap: str) -> AbstractContextManager[KafkaAdminClient]:
    """A client for groups and topics."""
    return _opened(bootstrap, KafkaAdminClient, receive_message_max_bytes=SMALL_FRAME_OCTETS)


def open_consumer(bootstrap: str) -> AbstractContextManager[KafkaConsumer]:
    """A consumer of committed records, without a group."""
    return _opened(
        bootstrap,
        KafkaConsumer,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        allow_auto_create_topics=False,
        fetch_max_bytes=MOST_FETCHED_OCTETS,
        receive_message_max_bytes=FRAME_OCTETS,
    )


@contextmanager
def open_producer(bootstrap: str, *, transactional_id: str = "") -> Iterator[KafkaProducer]:
    """An idempotent producer with acks=all; transactional if `transactional_id` is given.

    After a failure the records that Kafka has not acknowledged are dropped. Otherwise closing the
    producer would wait for them for ever.
    """
    transactions = {
        "transactional_id": transactional_id,
        "transaction_timeout_ms": TRANSACTION_MS,
    }
    with _opened(
        bootstrap,
        KafkaProducer,
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        request_timeout_ms=ANSWER_MS,
        delivery_timeout_ms=ACKNOWLEDGE_SECONDS * 1000,
        max_block_ms=ACKNOWLEDGE_SECONDS * 1000,
        receive_message_max_bytes=SMALL_FRAME_OCTETS,
        **(transactions if transactional_id else {}),
    ) as producer:
        try:
            yield producer
        except Exception as error:
            if isinstance(error, KafkaError) or isinstance(error.__cause__, KafkaError):
                producer._sender.force_close()  # noqa: SLF001 - no public way
            raise


def publish(bootstrap: str, outgoing: Iterable[Outgoing]) -> dict[tuple[str, int], int]:
    """Publish in order and wait for all acknowledgements.

    Returns the last offset of each topic and partition.
    """
    with open_producer(bootstrap) as producer:
        sent = [
            producer.send(one.topic, key=one.key, value=encode(one.record), partition=one.partition)
            for one in outgoing
        ]
        last: dict[tuple[str, int], int] = {}
        for future in sent:
            where = future.get(timeout=ACKNOWLEDGE_SECONDS)
            last[where.topic, where.partition] = where.offset
    return last
