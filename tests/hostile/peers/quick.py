"""`python -m tests.hostile.peers.quick NAME`: `twoway NAME` with short waits for a way's peer.

It waits for Kafka as long as the product does, for other peers less, and tries again sooner. The
worker has the gateway asked about an unknown command every second.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pipeline.cli.main import main
from tests.support.replacing import replace_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.conversation.agent import Conversation
    from pipeline.stages.delivering.row import PathState

QUICK = (0.02, 0.05)
PROBE_SOONER = timedelta(seconds=9)  # a second is left


def quicken_ftp() -> None:
    from ingest.ftp import process as ftp

    replace_in(ftp, BACKOFF_SECONDS=QUICK, REFUSED_SECONDS=(0.05, 0.05, 0.05))
    quicken_ftp_connections()


def quicken_ftp_connections() -> None:
    from pipeline.peer.ftp import bounds

    replace_in(bounds, CONNECT_SECONDS=0.5, ANSWER_SECONDS=0.5, POLL_SECONDS=2.0)


def quicken_smpp() -> None:
    from ingest.smpp import process as smpp
    from ingest.smpp import session
    from pipeline.peer import smpp as peer

    replace_in(smpp, BACKOFF_SECONDS=QUICK, BIND_REFUSED_SECONDS=0.05)
    replace_in(session, CONFIRM_SECONDS=0.05)
    replace_in(peer, BIND_SECONDS=0.5)


def quicken_store() -> None:
    from pipeline.store.clickhouse import database
    from pipeline.store.sink import retries

    replace_in(retries, LONGEST_PAUSE_SECONDS=0.5)
    replace_in(database, QUERY_SECONDS=2, LAG_SECONDS=1)


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

    replace_in(process, Conversation=quick)


def quicken_sender() -> None:
    from pipeline.peer import smpp as peer
    from pipeline.sender.calls import circuit
    from pipeline.sender.ways.smpp import binding, transmitter

    quicken_ftp_connections()
    replace_in(circuit, SHORTEST_SECONDS=0.2, LONGEST_SECONDS=0.5)
    replace_in(binding, REFUSED_BACKOFF_SECONDS=QUICK, BIND_REFUSED_SECONDS=0.05)
    replace_in(transmitter, ENQUIRE_SECONDS=1.0, ENQUIRE_ANSWER_SECONDS=0.5)
    replace_in(peer, BIND_SECONDS=0.5)


def probing_soon(step: Callable[..., PathState]) -> Callable[..., PathState]:
    """The step of a reply path's state, after which the next probe comes `PROBE_SOONER` sooner."""

    def stepped(state: PathState, *given: Any, **named: Any) -> PathState:
        after = step(state, *given, **named)
        if after.probe_at is None or after.probe_at == state.probe_at:
            return after
        return replace(after, probe_at=after.probe_at - PROBE_SOONER)

    return stepped


def quicken_deliver() -> None:
    from pipeline.peer import smpp as peer
    from pipeline.stages.delivering import path

    # A compiled module does not read its own constants again: its functions are replaced.
    steps = {name: getattr(path, name) for name in ("nobody_there", "ordered", "failed")}
    replace_in(path, **{name: probing_soon(step) for name, step in steps.items()})
    quicken_ftp_connections()
    replace_in(peer, BIND_SECONDS=0.5)


QUICKEN: dict[str, Callable[[], None]] = {
    "ftp": quicken_ftp,
    "smpp": quicken_smpp,
    "store": quicken_store,
    "worker": quicken_worker,
    "sender": quicken_sender,
    "deliver": quicken_deliver,
}

if __name__ == "__main__":
    QUICKEN.get(sys.argv[1], lambda: None)()
    main()
