"""The table of lying peers: a row for each way of ours to a peer, and the same lies for each.

A row is a `Row`: whose proxy lies, what makes our process speak with the peer, and what shows that
an honest answer is taken. For a client that is new (a customer's own application):

1. Where it speaks a new protocol, give that a class in `tongues.py`. No lie is written anew.
2. In `installation.py`, start an honest peer with a proxy before it, and the process as `Watched`,
   its settings pointing to the proxy. Set its secrets to `SECRET`, and send `NUMBER` and `TEXT`:
   they are what logs are searched for.
3. Add a `Row` to `rows_of`. `provoke` may fail, and returns within seconds. `begin` begins an
   honest exchange of words that are new, and gives what tells whether it has come to its end.

`tests/hostile/test_peers_that_lie.py` puts every row through every lie in the long form, and rows
that have no part in each other's way at once in the suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.gateway.settings import API_IDS
from pipeline.sender.apis.api import WayName
from pipeline.sender.calls.circuit import FAILURES
from tests.hostile.lies import SECRET, TEXT
from tests.hostile.lying_server import wait_until
from tests.hostile.peers.installation import MT, SQL
from tests.hostile.peers.watched import MOST_KILOBYTES
from tests.hostile.peers.ways_out import LOSING, TONGUES
from tests.hostile.scale import IS_LONG
from tests.support.log_search import Search, logs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.peers.installation import Installation
    from tests.hostile.peers.proxy import LyingProxy

#: In the long form a client that waits for more is left to wait: up to 40 s for Kafka.
PATIENCE_SECONDS: Final = 150 if IS_LONG else 45
START_SECONDS: Final = 240  # seven processes begin at once
MOST_LINES: Final = 2  # of a command that has failed
SENT: Final = Search(texts=[TEXT, LOSING], secrets=[SECRET])
TAKEN: Final = ("submitted", "delivered")
NEVER_TAKEN: Final = ("failed", "unknown", "refused")

SECRETS: Final = Search(texts=(), secrets=[SECRET])


@dataclass(frozen=True)
class Row:
    """One way of ours to a peer."""

    name: str
    proxy: LyingProxy
    provoke: Callable[[], object]
    begin: Callable[[], Callable[[], bool]]

    def take_honest(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Return when an honest exchange has come to its end."""
        wait_until(self.begin(), seconds=seconds)


def rows_of(it: Installation) -> dict[str, Row]:
    """Every row, by its name."""

    def call() -> None:
        it.call(it.new_text())

    def called() -> Callable[[], bool]:
        text = it.new_text()
        return lambda: it.call(text) == 200

    def stored() -> Callable[[], bool]:
        """Through ingest, worker and store into ClickHouse."""
        text = it.new_text()
        wait_until(lambda: it.call(text) == 200, seconds=PATIENCE_SECONDS)
        return lambda: it.is_stored(text)

    def judged() -> Callable[[], bool]:
        """By the worker, and seen by ingest, which reads what was decided."""
        request = it.new_text().replace(" ", "-")
        wait_until(lambda: it.ask_mt(request) == 202, seconds=PATIENCE_SECONDS)
        return lambda: it.state_of(request)[0] in ("command", "rejection", "result")

    def followed() -> Callable[[], bool]:
        text = it.new_text()
        it.write_to_the_ftp_log(text)
        return lambda: it.is_stored(text)

    def delivered() -> Callable[[], bool]:
        text = it.new_text()
        it.deliver_by_smpp(text)
        return lambda: it.is_stored(text)

    def nothing() -> None:
        """It speaks by itself."""

    def submit(way: WayName, *, handset: str = "") -> tuple[str, str]:
        """Have a command made for a way; the request's id, and the handset."""
        request, new_handset = it.new_request()
        given = {"handset": handset or new_handset, "api_id": API_IDS[way]}
        wait_until(lambda: it.ask_mt(request, **given) == 202, seconds=PATIENCE_SECONDS)
        return request, given["handset"]

    def submit_some(way: WayName) -> Callable[[], None]:
        """More than the API's circuit takes, and one for each step of the dialogue to lie at."""
        _, steps = TONGUES[way]

        def some() -> None:
            for _ in range(max(FAILURES + 1, steps)):
                submit(way)

        return some

    def submitted(way: WayName) -> Callable[[], Callable[[], bool]]:
        """One that met what was left of the lie is lost: then the next is taken."""

        def begin() -> Callable[[], bool]:
            requests = [submit(way)]

            def is_taken() -> bool:
                request, handset = requests[-1]
                state = it.state_of(request)[1]
                if state in NEVER_TAKEN:
                    requests.append(submit(way))
                return state in TAKEN and it.ways_out.has_taken(handset)

            return is_taken

        return begin

    def lost() -> None:
        submit(WayName.SMTP, handset=LOSING)

    def found() -> Callable[[], bool]:
        """Its answer was lost: that it was taken is known once the gateway was asked."""
        request, _ = submit(WayName.SMTP, handset=LOSING)
        return lambda: it.state_of(request)[1] in TAKEN

    def command(*words: str) -> Callable[[], None]:
        return lambda: check_command(it, *words)

    kafka, clickhouse = it.kafka, it.clickhouse
    rows = [
        Row("ingest-kafka", kafka["ingest"], call, called),
        Row("ingest-kafka-status", kafka["ingest"], lambda: it.state_of("x"), judged),
        Row("worker-kafka", kafka["worker"], call, stored),
        Row("store-kafka", kafka["store"], call, stored),
        Row("smpp-kafka", kafka["smpp"], nothing, delivered),
        Row("ftp-kafka", kafka["ftp"], nothing, followed),
        Row("sender-kafka", kafka["sender"], nothing, submitted(WayName.HTTP)),
        Row("command-kafka", kafka["cli"], command(*MT), lambda: lambda: ok(it, *MT)),
        Row("store-clickhouse-insert", clickhouse, call, stored),
        Row("store-clickhouse-pages", clickhouse, it.page, lambda: lambda: it.page() == 200),
        Row("store-clickhouse-sql", clickhouse, it.one, lambda: lambda: bool(it.one())),
        Row("smpp-gateway", it.smpp, nothing, delivered),
        Row("ftp-server", it.ftp, nothing, followed),
        Row("command-report", it.report, command(*SQL), lambda: lambda: ok(it, *SQL)),
        *(
            Row(f"sender-{way}", proxy, submit_some(way), submitted(way))
            for way, proxy in it.ways_out.proxies.items()
        ),
        Row("sender-query", it.ways_out.proxies[WayName.HTTP], lost, found),
    ]
    return {row.name: row for row in rows}


def ok(it: Installation, *words: str) -> bool:
    """Whether a command has done its work."""
    return it.command(*words).status == 0


def check_command(it: Installation, *words: str) -> None:
    """A command says what failed in one sentence, and is small."""
    done = it.command(*words)
    assert done.status in (0, 1), done
    assert len(done.err.splitlines()) <= MOST_LINES, done
    assert len(done.err) < 2_000, done
    assert not list(SECRETS.in_line(done.err)), done  # a text is for whoever asks to read
    assert done.kilobytes - it.idle_command < MOST_KILOBYTES, done


def check(it: Installation) -> None:
    """Every process lives and is small, no log has what was sent, and nothing was sent twice."""
    for process in it.processes.values():
        process.check()
    logs = logs_of(it.home)
    # An FTP server's words are for an operator to read, and it was never told a text.
    by_ftp = [log for log in logs if log.name == "ftp.log"]
    found = [*SENT.of(set(logs).difference(by_ftp)), *SECRETS.of(by_ftp)]
    assert not found, found[:20]
    assert it.ways_out.taken_twice() == []
