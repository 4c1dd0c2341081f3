"""The report over 10,000,000 lines, while 100 messages a second are written.

    python -m tests.bench --only report [--lines 1000000]
    python -m tests.bench.report_bench --lines 1000000 --keep build/report-bench

Rows are made inside ClickHouse. The figures are of HTTP answers, to their last octet.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.query.questions import Questions
from pipeline.store.report.assembly import report_from
from pipeline.store.report.lists.cursor import iso_from_time
from pipeline.store.report.thread import ReportThread

if TYPE_CHECKING:
    from collections.abc import Iterator

LINES = 10_000_000
RATE = 100
ASKED = 30  # times a page is asked
#: One that takes long is asked so long, and five times at least.
ASKED_SECONDS = 10.0
LEAST_ASKED = 5
BEGIN = "toDateTime64('2026-01-01 00:00:00', 3, 'UTC')"
MONTHS_SECONDS = 300 * 86_400
WORDS = [
    "order",
    "parcel",
    "hello",
    "tomorrow",
    "please",
    "when",
    "thanks",
    "delivery",
    "shop",
    "number",
    "open",
    "closed",
    "blue",
    "green",
    "window",
    "street",
    "morning",
    "evening",
    "call",
    "back",
    "never",
    "always",
    "price",
    "euro",
    "pound",
    "ticket",
    "train",
    "late",
]
#: The time of the line with this number, of so many.
AT = (
    f"{BEGIN} + toIntervalMillisecond(intDiv(number * {MONTHS_SECONDS}, {{n}}) * 1000"
    " + number % 1000)"
)
HANDSET = "toString(27820000000 + cityHash64(number, 1) % 1000000)"
NUMBER = "toString(88800 + cityHash64(number, 2) % 40)"
TEXT = (
    f"arrayStringConcat(arrayMap(i -> {WORDS!r}[1 + cityHash64(number, i) % {len(WORDS)}],"
    " range(3, 9)), ' ') || ' ' || toString(cityHash64(number, 9) % 1000000)"
)
ID = "lower(hex(MD5(concat('{kind}', toString(number)))))"
MO = f"""INSERT INTO twoway.mo_message_rows (message_id, handset, number, text, charset, api_id,
    account, gateway_time, received_at, parts_total, complete, flags, source, written_at,
    kafka_partition, kafka_offset)
SELECT {ID.format(kind="mo")}, {HANDSET}, {NUMBER}, {TEXT}, 'ISO-8859-1', '3155', 'main',
    {AT}, {AT}, 1, number % 500 != 0, if(number % 1000 = 0, ['review'], []),
    ['http', 'smpp', 'ftp'][1 + number % 3], {AT}, number % 12, intDiv(number, 12)
FROM numbers({{first}}, {{count}})"""
MT = f"""INSERT INTO twoway.mt_command_rows (command_id, request_id, purpose, sender_id, handset,
    text, mo, at, not_after, api_id, account, encoding, parts, written_at, kafka_partition,
    kafka_offset)
SELECT {ID.format(kind="mt")}, concat('r', toString(number)), 'reply', {NUMBER}, {HANDSET}, {TEXT},
    true, {AT}, {AT}, '3155', 'main', 'gsm7', 1, {AT}, number % 12, intDiv(number, 12)
FROM numbers({{first}}, {{count}})"""
STATES = f"""INSERT INTO twoway.mt_state_rows (state_id, command_id, request_id, handset, state,
    code, charge, at, written_at, kafka_partition, kafka_offset)
SELECT {ID.format(kind="{state}")}, {ID.format(kind="mt")}, concat('r', toString(number)),
    {HANDSET}, {{state_sql}}, {{code_sql}}, '0.333333', {AT}, {AT}, number % 12,
    intDiv(number, 12) * 4 + {{step}}
FROM numbers({{first}}, {{count}})"""
STEPS = (
    ("submitted", "'submitted'", "'003'"),
    (
        "end",
        "multiIf(number % 1000 = 7, 'failed', number % 20 = 3, 'undelivered', 'delivered')",
        "multiIf(number % 1000 = 7, '114', number % 20 = 3, '008', '004')",
    ),
)
REJECTIONS = f"""INSERT INTO twoway.mt_rejection_rows (rejection_id, request_id, handset, sender_id,
    rule, at, written_at, kafka_partition, kafka_offset)
SELECT {ID.format(kind="no")}, concat('n', toString(number)), {HANDSET}, {NUMBER}, 'opted-out',
    {AT}, {AT}, number % 12, intDiv(number, 12)
FROM numbers({{first}}, {{count}}) WHERE number % 100 = 0"""
REQUESTS = f"""INSERT INTO twoway.mt_request_rows (request_id, to, text, requested_at, handset,
    written_at, kafka_partition, kafka_offset)
SELECT concat('n', toString(number)), {HANDSET}, {TEXT}, {AT}, {HANDSET}, {AT}, number % 12,
    intDiv(number, 12) FROM numbers({{first}}, {{count}}) WHERE number % 100 = 0"""
CHANGES = f"""INSERT INTO twoway.consent_change_rows (change_id, handset, scope_kind, scope, state,
    gateway_state, previous_state, previous_gateway_state, rule, number, at, recorded_at,
    written_at, kafka_partition, kafka_offset)
SELECT {ID.format(kind="cc")}, {HANDSET}, 'number', {NUMBER}, if(number % 3 = 0, 'open', 'stopped'),
    'open', 'open', 'open', 'stop-word', {NUMBER}, {AT}, {AT}, {AT}, number % 12, intDiv(number, 12)
FROM numbers({{first}}, {{count}}) WHERE number % 50 = 0"""
AT_ONCE = 500_000


def fill(database: Database, lines: int) -> None:
    """As many lines, half in and half out, with two states of each command."""
    half = lines // 2
    for first in range(0, half, AT_ONCE):
        given = {"first": first, "count": min(AT_ONCE, half - first), "n": half}
        for sql in (MO, MT, REJECTIONS, REQUESTS, CHANGES):
            database.writing.command(_filled(sql, given))
        for step, (state, state_sql, code_sql) in enumerate(STEPS):
            more = {"state": state, "state_sql": state_sql, "code_sql": code_sql, "step": step}
            database.writing.command(_filled(STATES, given | more))


def _filled(sql: str, given: dict[str, Any]) -> str:
    for name, value in given.items():
        sql = sql.replace(f"{{{name}}}", str(value))
    return sql


@contextmanager
def writing(database: Database, lines: int) -> Iterator[None]:
    """Messages are stored meanwhile, once a second as the sink does."""
    stop = threading.Event()

    def work() -> None:
        number = lines * 4
        while not stop.wait(1):
            given = {"first": number, "count": RATE, "n": lines * 4}
            database.writing.command(_filled(MO, given))
            number += RATE

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def views(database: Database, lines: int) -> dict[str, str]:
    """What is asked: each view with its address."""
    (row,) = database.writing.query(
        "SELECT at, id, handset, text FROM twoway.conversation_line_rows"
        " WHERE record = 'mo-message'"
        " ORDER BY at DESC, id DESC LIMIT 1 OFFSET 25000"
    ).result_rows
    at, id, handset, text = row
    day, exact = at.strftime("%Y-%m-%d"), iso_from_time(at)
    lists = "/list/lines"
    return {
        "first page": lists,
        "page 500": f"{lists}?before={exact},{id}",
        "deep in the past": f"{lists}?before=2026-02-01T00:00:00.000Z,x",
        "a day": f"{lists}?from={day}&to={day}",
        "number": f"{lists}?number=88805",
        "a number that is not there": f"{lists}?number=11111",
        "range of numbers": f"{lists}?number=88810-88819",
        "handset": f"{lists}?handset={handset}",
        "direction": f"{lists}?direction=in",
        "refused": f"{lists}?direction=refused",
        "incomplete": f"{lists}?complete=no",
        "flag": f"{lists}?flag=review",
        "keyword": f"{lists}?keyword=PARCEL",
        "way in": f"{lists}?way=ftp",
        "way that is not there": f"{lists}?way=soap",
        "api_id": f"{lists}?api_id=3155",
        "state, common": f"{lists}?state=delivered",
        "state and code, rare": f"{lists}?state=failed&code=114",
        "state that is over": f"{lists}?state=submitted",
        "consent: stopped": f"{lists}?consent=stopped",
        "text, common": f"{lists}?text=parcel",
        "text, rare": f"{lists}?text={text.rsplit(' ', 1)[1]}",
        "text, nowhere": f"{lists}?text=xylophone",
        "text and number": f"{lists}?text=xylophone&number=88805",
        "conversation": f"/conversation?handset={handset}",
        "message": f"/message?id={id}&at={exact}",
        "overview": "/",
        "overview, all": "/?from=2026-01-01",
        "changes of consent": "/list/opt-outs",
        "stopped now": "/list/stopped",
        "review": "/review",
    }


def measure(home: Path, lines: int, asked: int = ASKED) -> list[tuple[str, str]]:
    """Fill where it is not filled, then ask."""
    rows: list[tuple[str, str]] = []
    with Database(Settings(home=home)) as database:
        ((held,),) = database.writing.query(
            "SELECT count() FROM twoway.mo_message_rows"
        ).result_rows
        if not held:
            began = time.monotonic()
            fill(database, lines)
            rows.append((f"{lines:,} lines made", f"{time.monotonic() - began:.0f} s"))
        report = report_from(Settings(home=home), Questions(database), is_ready=lambda: True)
        thread = ReportThread(report, host="127.0.0.1", port=0)
        url = f"http://127.0.0.1:{thread.start()}"
        try:
            with (
                httpx.Client(base_url=url, timeout=120) as client,
                writing(database, lines),
            ):
                for name, path in views(database, lines).items():
                    rows.append((f"{name}", _times(client, path, asked)))
                    sys.stdout.write(f"{rows[-1]}\n")
                for row in _exports(client, path="/list/lines"):
                    rows.append(row)
                    sys.stdout.write(f"{row}\n")
        finally:
            thread.stop()
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return [*rows, ("load of the machine meanwhile", load)]


def _times(client: httpx.Client, path: str, asked: int) -> str:
    took = []
    worked = processor_seconds()
    for _ in range(asked):
        began = time.monotonic()
        answer = client.get(path)
        took.append((time.monotonic() - began) * 1e3)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        if len(took) >= LEAST_ASKED and sum(took) > ASKED_SECONDS * 1e3:
            break
    each = (processor_seconds() - worked) / len(took) * 1e3
    took.sort()
    p95 = took[min(len(took) - 1, round(0.95 * len(took)))]
    return f"p50 {took[len(took) // 2]:.0f} ms, p95 {p95:.0f} ms; processor {each:.0f} ms each"


def _exports(client: httpx.Client, *, path: str) -> Iterator[tuple[str, str]]:
    """Rows a second of each format, memory, and how long a page takes meanwhile."""
    for form, days in (("csv", "30"), ("parquet", "30"), ("xlsx", "30")):
        before = resident_mb()
        peak = [before]
        pages: list[float] = []
        stop = threading.Event()

        def beside(pages: list[float] = pages, peak: list[float] = peak, stop: Any = stop) -> None:
            with httpx.Client(base_url=client.base_url, timeout=120) as other:
                while not stop.wait(0.2):
                    began = time.monotonic()
                    other.get(path)
                    pages.append((time.monotonic() - began) * 1e3)
                    peak.append(resident_mb())

        thread = threading.Thread(target=beside)
        thread.start()
        began, worked = time.monotonic(), processor_seconds()
        octets = rows = 0
        asked = f"/{form}/lines?from=2026-03-01&to=2026-03-{days}"
        with client.stream("GET", asked) as answer:
            for piece in answer.iter_bytes():
                octets += len(piece)
                rows += piece.count(b"\r\n")
        seconds, busy = time.monotonic() - began, processor_seconds() - worked
        stop.set()
        thread.join()
        pages.sort()
        rows = rows - 1 if form == "csv" else int(days) * LINES_A_DAY[0]
        yield (
            f"{form} of {rows:,} rows, {octets >> 20} MB",
            f"{rows / seconds:,.0f} rows/s, {1e6 * busy / rows:.0f} µs of processor time each with"
            f" all beside, {max(peak) - before:.0f} MB more memory,"
            f" pages meanwhile p95 {pages[int(0.95 * len(pages))]:.0f} ms",
        )


#: How many lines a day has; set by `run`.
LINES_A_DAY = [LINES // 300]


def processor_seconds() -> float:
    """Of all threads of this process: the report, the engine, the writer and the client."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mb() -> float:
    """Memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def run(home: Path, lines: int = LINES, asked: int = ASKED) -> list[tuple[str, str]]:
    """The rows of the table of figures."""
    home.mkdir(parents=True, exist_ok=True)
    LINES_A_DAY[0] = int(lines * 1.01) // 300
    found = measure(home, lines, asked)
    return [(f"report, {lines:,} lines: {what}", figure) for what, figure in found]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--asked", type=int, default=ASKED)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        for what, figure in run(given.keep or Path(folder), given.lines, given.asked):
            sys.stdout.write(f"| {what} | {figure} |\n")


if __name__ == "__main__":
    main()
