"""`python -m tests.hostile.peers.quick NAME`: `twoway NAME` with short waits for a way's peer.

It waits as long as the product does for Kafka, but not for the others, and tries again sooner. The
worker has the gateway asked about an unknown command every second.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pipeline.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.conversation.agent import Conversation

QUICK = (0.02, 0.05)


def quicken_ftp() -> None:
    from ingest.ftp import process as ftp

    ftp.BACKOFF_SECONDS = QUICK  # type: ignore[misc]
    ftp.REFUSED_SECONDS = (0.05, 0.05, 0.05)  # type: ignore[misc]
    quicken_ftp_connections()


def quicken_ftp_connections() -> None:
    from pipeline.peer.ftp import bounds

    bounds.CONNECT_SECONDS = bounds.ANSWER_SECONDS = 0.5
    bounds.POLL_SECONDS = 2.0


def quicken_smpp() -> None:
    from ingest.smpp import process as smpp
    from ingest.smpp import session
    from pipeline.peer import smpp as peer

    smpp.BACKOFF_SECONDS = QUICK  # type: ignore[misc]
    smpp.BIND_REFUSED_SECONDS = 0.05  # type: ignore[misc]
    session.CONFIRM_SECONDS = 0.05  # type: ignore[misc]
    peer.BIND_SECONDS = 0.5  # type: ignore[misc]


def quicken_store() -> None:
    from pipeline.store.clickhouse import database
    from pipeline.store.sink import retries

    retries.LONGEST_PAUSE_SECONDS = 0.5  # type: ignore[misc]
    database.QUERY_SECONDS, database.LAG_SECONDS = 2, 1  # type: ignore[misc]


def quicken_worker() -> None:
    from pipeline.conversation import process
    from pipeline.stages.sending.rules import SendingRules

    make = process.Conversation
    rules = SendingRules(
        retries=(timedelta(milliseconds=200),),
        queries=tuple(timedelta(seconds=second) for second in range(1, 200)),
    )

    def quick(**given: Any) -> Conversation:
        conversation = make(**given)
        conversation._outboxes._rules = rules
        return conversation

    process.Conversation = quick  # type: ignore[assignment, misc]


def quicken_sender() -> None:
    from pipeline.peer import smpp as peer
    from pipeline.sender.calls import circuit
    from pipeline.sender.ways.smpp import binding, transmitter

    quicken_ftp_connections()
    circuit.SHORTEST_SECONDS, circuit.LONGEST_SECONDS = 0.2, 0.5  # type: ignore[misc]
    binding.REFUSED_BACKOFF_SECONDS = QUICK  # type: ignore[misc]
    binding.BIND_REFUSED_SECONDS = 0.05  # type: ignore[misc]
    transmitter.ENQUIRE_SECONDS, transmitter.ENQUIRE_ANSWER_SECONDS = 1.0, 0.5  # type: ignore[misc]
    peer.BIND_SECONDS = 0.5  # type: ignore[misc]


QUICKEN: dict[str, Callable[[], None]] = {
    "ftp": quicken_ftp,
    "smpp": quicken_smpp,
    "store": quicken_store,
    "worker": quicken_worker,
    "sender": quicken_sender,
}

if __name__ == "__main__":
    QUICKEN.get(sys.argv[1], lambda: None)()
    main()
