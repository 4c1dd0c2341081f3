"""The table of lying peers: a row for each connection of ours to a peer; each gets every lie.

A `Row` names the proxy that lies, what makes our process call the peer, and what shows that an
honest answer is taken. For a new client (a customer's own application):

1. If it speaks a new protocol, write a class for that in `tongues.py`. No lie needs a change.
2. In `installation.py`, start an honest peer with a proxy before it, and the process as `Watched`,
   with settings that point to the proxy. Set its secrets to `SECRET`, and send `NUMBER` and
   `TEXT`: logs are searched for them.
3. Add a `Row` to `rows_of`. `provoke` may fail, and returns within seconds. `begin` begins an
   honest exchange of new words, and returns a function that tells whether the exchange is done.

The ways of `twoway deliver` are rows of `application_rows.py`, with the same lies.

`tests/hostile/test_peers_that_lie.py` puts every row through every lie in the long form; the suite
runs rows that do not affect each other at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.gateway.settings import API_IDS
from pipeline.sender.apis.api import WayName
from pipeline.sender.calls.circuit import FAILURES
from tests.hostile.lies import SECRET, TEXT
from tests.hostile.lying_server import wait_until
from tests.hostile.peers.exchange import PATIENCE_SECONDS, Row
from tests.hostile.peers.installation import MT, SQL
from tests.hostile.peers.watched import MOST_KILOBYTES
from tests.hostile.peers.ways_out import LOSING, TONGUES
from tests.support.log_search import Search, logs_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hostile.peers.installation import Installation

START_SECONDS: Final = 240  # seven processes begin at once
MOST_LINES: Final = 2  # that a failed command may print to stderr
SENT: Final = Search(texts=[TEXT, LOSING], secrets=[SECRET])
TAKEN: Final = ("submitted", "delivered")
NEVER_TAKEN: Final = ("failed", "unknown", "refused")

SECRETS: Final = Search(texts=(), secrets=[SECRET])


def rows_of(it: Installation) -> dict[str, Row]:
    """Every row, by its name."""

    def call() -> None:
        it.call(it.new_text())

    def called() -> Callable[[], bool]:
        text = it.new_text()
        return lambda: it.call(text) == 200

    def stored() -> Callable[[], bool]:
        """A new message; done when ingest, worker and store have brought it to ClickHouse."""
        text = it.new_text()
        wait_until(lambda: it.call(text) == 200, seconds=PATIENCE_SECONDS)
        return lambda: it.is_stored(text)

    def judged() -> Callable[[], bool]:
        """A new request; done when ingest has read the worker's decision."""
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
        """Do nothing: the process calls the peer by itself."""

    def submit(way: WayName, *, handset: str = "") -> tuple[str, str]:
        """Request an MT by a way; return the request id and the handset."""
        request, new_handset = it.new_request()
        given = {"handset": handset or new_handset, "api_id": API_IDS[way]}
        wait_until(lambda: it.ask_mt(request, **given) == 202, seconds=PATIENCE_SECONDS)
        return request, given["handset"]

    def submit_some(way: WayName) -> Callable[[], None]:
        """Request enough MTs to open the API's circuit, and one for each step of the dialogue."""
        _, steps = TONGUES[way]

        def some() -> None:
            for _ in range(max(FAILURES + 1, steps)):
                submit(way)

        return some

    def submitted(way: WayName) -> Callable[[], Callable[[], bool]]:
        """A new request, and another if a late lie loses it; done when one is taken."""

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
        """A request whose answer is lost; done when a query to the gateway has found it."""
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
    """Whether a command ends with exit code 0."""
    return it.command(*words).status == 0


def check_command(it: Installation, *words: str) -> None:
    """Check that a command says in one sentence what failed, and uses little memory."""
    done = it.command(*words)
    assert done.status in (0, 1), done
    assert len(done.err.splitlines()) <= MOST_LINES, done
    assert len(done.err) < 2_000, done
    assert not list(SECRETS.in_line(done.err)), done  # texts may be shown to the operator
    assert done.kilobytes - it.idle_command < MOST_KILOBYTES, done


def check(it: Installation) -> None:
    """Check processes and their memory, that no log has what was sent, and none was sent twice."""
    for process in it.processes.values():
        process.check()
    logs = logs_of(it.home)
    # An operator may read the words of an FTP server, which never got a text.
    by_ftp = [log for log in logs if log.name == "ftp.log"]
    found = [*SENT.of(set(logs).difference(by_ftp)), *SECRETS.of(by_ftp)]
    assert not found, found[:20]
    assert it.ways_out.taken_twice() == []
