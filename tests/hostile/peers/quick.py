"""`python -m tests.hostile.peers.quick NAME`: `twoway NAME` with short waits for a way's peer.

It waits as long as the product does for Kafka, but not for the others, and tries again sooner.
"""

from __future__ import annotations

from ingest.ftp import process as ftp
from ingest.smpp import process as smpp
from ingest.smpp import session as smpp_session
from pipeline.cli.main import main
from pipeline.peer import smpp as smpp_peer
from pipeline.peer.ftp import bounds as ftp_bounds
from pipeline.store import retries
from pipeline.store.clickhouse import database

QUICK = (0.02, 0.05)

if __name__ == "__main__":
    ftp_bounds.CONNECT_SECONDS = ftp_bounds.ANSWER_SECONDS = 0.5
    ftp_bounds.POLL_SECONDS = 2.0
    ftp.BACKOFF_SECONDS = smpp.BACKOFF_SECONDS = QUICK  # type: ignore[misc]
    ftp.REFUSED_SECONDS = (0.05, 0.05, 0.05)  # type: ignore[misc]
    smpp.BIND_REFUSED_SECONDS = 0.05  # type: ignore[misc]
    smpp_peer.BIND_SECONDS = 0.5  # type: ignore[misc]
    smpp_session.CONFIRM_SECONDS = 0.05  # type: ignore[misc]
    retries.LONGEST_PAUSE_SECONDS = 0.5  # type: ignore[misc]
    database.QUERY_SECONDS, database.LAG_SECONDS = 2, 1  # type: ignore[misc]
    main()
