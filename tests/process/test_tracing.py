"""Traces: what carries them from ingest to the call at the gateway, and that off is off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ingest.publish.publisher import KafkaPublisher
from pipeline.delivery.attempt_span import AttemptSpan
from pipeline.engine.decide import decide_batch
from pipeline.engine.state.state import State
from pipeline.engine.traced import traced
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka import readers, topics
from pipeline.process import tracing
from pipeline.process.tracing import LONGEST, carried, carrying, trace_headers_of
from pipeline.records import Outcome
from pipeline.sender.calls import attempts
from pipeline.sender.way import Answer
from pipeline.settings import Settings, SettingsError
from tests.engine.faulty_producer import FaultyProducer
from tests.ingest.http.support import FakePublisher, running
from tests.sender.fakes import Office, settle
from tests.support.commands import command_of
from tests.support.delivering import DeliveryPartition, result_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.process.tracing import Headers

pytest.importorskip("opentelemetry.sdk", reason="the extra otel is not installed")
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipeline.process.otel import OtelTracer, resource_of

#: An example of the standard (W3C Trace Context, 3.2.3).
GIVEN = [("traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]
TRACE, PARENT = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is traced while the test runs."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=resource_of("test", "one"))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use_tracer(OtelTracer(provider))
    yield exporter
    tracing.use_tracer(None)


def traceparent_of(span: Any) -> bytes:
    at = span.context
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}".encode()


class Batches:
    """A producer that keeps what its batches get, and acknowledges all or nothing."""

    def __init__(self, *, acknowledges: bool = True) -> None:
        self.headers: list[Headers] = []
        self._acknowledges = acknowledges

    def create_batch(self) -> Any:
        def append(*, headers: Headers, **_: object) -> bool:
            self.headers.append(headers)
            return True

        return SimpleNamespace(append=append)

    async def send_batch(self, _batch: object, _topic: str, *, partition: int) -> Any:
        del partition
        if not self._acknowledges:
            raise ConnectionError
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent


async def published(producer: Batches) -> bool:
    publisher = KafkaPublisher(lambda: "", timeout_seconds=1.0)
    publisher._producer = producer
    publisher._partitions = {topics.MO_RAW: 1}
    return await publisher.publish(topics.MO_RAW, key=b"44", value=b"octets")


async def test_ingest_begins_a_trace_that_the_record_carries(spans: InMemorySpanExporter) -> None:
    producer = Batches()
    assert await published(producer)
    await asyncio.sleep(0)
    (span,) = spans.get_finished_spans()
    assert (span.name, span.parent, span.status.is_ok) == ("publish mo-raw", None, True)
    assert producer.headers == [[("traceparent", traceparent_of(span))]]
    assert span.resource.attributes["service.name"] == "twoway-test"
    assert span.resource.attributes["service.instance.id"] == "one"


async def test_a_record_that_kafka_does_not_take_is_a_span_that_failed(
    spans: InMemorySpanExporter,
) -> None:
    assert not await published(Batches(acknowledges=False))
    await asyncio.sleep(0)
    (span,) = spans.get_finished_spans()
    assert not span.status.is_ok


async def test_a_trace_of_the_application_goes_on(spans: InMemorySpanExporter) -> None:
    with carrying(GIVEN):
        await published(Batches())
    await asyncio.sleep(0)
    (span,) = spans.get_finished_spans()
    assert (span.context.trace_id, span.parent.span_id) == (TRACE, PARENT)
    assert carried() is None


class Doubling:
    """Sends two outputs for a record, one on another topic for an odd one; refuses `bad`."""

    def restored(self, state: State) -> None: ...

    def process_record(self, work: UnitOfWork, record: Any) -> bool:
        work.send("out", None, b"1" + record.value)
        if record.value == b"bad":
            raise ValueError
        work.send("out", None, b"2" + record.value)
        if record.offset % 2:
            work.send("odd", None, record.value)
        return False

    def refuse(self, work: UnitOfWork, record: Any, error: Exception) -> None:
        del error
        work.send("dead", None, record.value)


class HeardProducer(FaultyProducer):
    """Keeps the headers of each record by its value."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: dict[bytes, Headers] = {}

    def create_batch(self) -> Any:
        batch = super().create_batch()
        plain = batch.append

        def append(*, headers: Headers, **fields: Any) -> Any:
            self.headers.setdefault(fields["value"], headers)
            return plain(**fields)

        batch.append = append  # type: ignore[method-assign]
        return batch


def taken(offset: int, value: bytes, *, topic: str = "in", headers: Sequence[Any] = ()) -> Any:
    return SimpleNamespace(
        topic=topic, partition=0, offset=offset, timestamp=0, value=value, headers=headers
    )


def worked_on(records: list[Any]) -> dict[bytes, Headers]:
    """The headers of what a batch writes, by value."""
    plan: Any = SimpleNamespace(group="conversation")
    state = State(())
    processor = traced(Doubling(), plan, tracing.tracer())
    work, done = decide_batch(
        records, processor, state,
        new_work=lambda: UnitOfWork(state=state, partition=0, changelog="changelog"),
    )  # fmt: skip
    assert done == len(records)
    producer = HeardProducer()
    asyncio.run(work.commit(producer, group="conversation", offsets={"in": done}))  # type: ignore[arg-type]
    return producer.headers


def test_what_a_record_leads_to_carries_the_span_of_that_record(
    spans: InMemorySpanExporter,
) -> None:
    written = worked_on(
        [
            taken(0, b"a", headers=GIVEN),
            taken(1, b"b"),
            taken(2, b"c", topic="clock", headers=GIVEN),
            taken(3, b"d", headers=[*GIVEN, ("twoway-retry-of", b"x")]),
        ]
    )
    a, b, d = spans.get_finished_spans()
    assert [span.name for span in (a, b, d)] == ["process in"] * 3
    assert (a.context.trace_id, a.parent.span_id) == (TRACE, PARENT)
    assert (b.parent, d.parent.span_id) == (None, PARENT)
    assert b.attributes["messaging.kafka.offset"] == 1
    of = {
        each: [("traceparent", traceparent_of(span))]
        for each, span in (("a", a), ("b", b), ("d", d))
    }
    assert written.pop(b"1a") == written.pop(b"2a") == of["a"]
    assert written.pop(b"1b") == written.pop(b"2b") == written.pop(b"b") == of["b"]
    assert written.pop(b"1c") == written.pop(b"2c") == []  # a tick has no span
    assert written.pop(b"1d") == written.pop(b"2d") == written.pop(b"d") == of["d"]
    assert set(map(tuple, written.values())) == {()}  # the changelog


@pytest.mark.parametrize("group", [readers.CONVERSATION, readers.DELIVERY, readers.ACCOUNTS])
def test_each_record_of_each_topic_is_a_span_but_for_ticks(
    spans: InMemorySpanExporter, group: str
) -> None:
    read = readers.READ_BY[group]
    worked_on([taken(offset, b"x", topic=topic) for offset, topic in enumerate(read)])
    names = {span.name for span in spans.get_finished_spans()}
    assert names == {f"process {topic}" for topic in read if topic != topics.CLOCK}


def test_a_batch_that_fails_is_done_again_and_headers_stay_with_their_records(
    spans: InMemorySpanExporter,
) -> None:
    written = worked_on([taken(0, b"a"), taken(1, b"bad"), taken(2, b"c")])
    *_, a, failed, refused, c = spans.get_finished_spans()
    assert [span.name for span in (a, failed, refused, c)] == [
        "process in", "process in", "refuse in", "process in",
    ]  # fmt: skip
    assert not failed.status.is_ok
    assert written[b"2a"] == [("traceparent", traceparent_of(a))]
    assert written[b"bad"] == [("traceparent", traceparent_of(refused))]
    assert written[b"1c"] == written[b"2c"] == [("traceparent", traceparent_of(c))]
    assert b"1bad" not in written


@pytest.mark.parametrize("outcome", [Outcome.SUBMITTED, Outcome.UNKNOWN])
def test_a_call_is_a_span_of_the_commands_trace_and_its_result_carries_it(
    spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, outcome: Outcome
) -> None:
    office = Office(monkeypatch)
    office.way.answers = [Answer(outcome=outcome)]
    seen: dict[str, Headers | None] = {}

    async def ask(ask: Any) -> None:
        seen["ask"] = carried()
        office.post.asks.append(ask)

    async def tell(result: Any) -> None:
        seen["result"] = carried()
        office.post.results.append(result)

    monkeypatch.setattr(office.post, "ask", ask)
    monkeypatch.setattr(office.post, "tell", tell)

    async def scenario() -> None:
        command = command_of(command_id="e3f19b7c5d0a4862b1c7f4093ad86201")
        office.sender.take(command, 0, 0, trace=GIVEN)
        await settle()
        office.permit(command)
        await settle()

    office.play(scenario)
    (span,) = spans.get_finished_spans()
    assert (span.name, span.context.trace_id, span.parent.span_id) == ("submit http", TRACE, PARENT)
    assert span.attributes["twoway.command_id"] == "e3f19b7c5d0a4862b1c7f4093ad86201"
    assert span.attributes["twoway.outcome"] == outcome.value
    assert span.status.is_ok is (outcome is Outcome.SUBMITTED)
    assert seen == {"ask": GIVEN, "result": [("traceparent", traceparent_of(span))]}


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"00-short-x-01", id="not in the form"),
        pytest.param(b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01", id="trace id of zeros"),
        pytest.param(b"ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", id="version ff"),
        pytest.param(b"\xff\xfe\0", id="no text"),
        pytest.param(b"00-" + b"a" * 100_000, id="long"),
    ],
)
def test_a_header_that_is_none_begins_a_trace_of_its_own(
    spans: InMemorySpanExporter, value: bytes
) -> None:
    """W3C Trace Context 3.2.2: a header that cannot be parsed is ignored."""
    worked_on([taken(0, b"a", headers=[("traceparent", value)])])
    (span,) = spans.get_finished_spans()
    assert span.parent is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ([], []),
        ([*GIVEN, ("other", b"x"), ("tracestate", b"a=1")], [*GIVEN, ("tracestate", b"a=1")]),
        ([("traceparent", None)], []),
        ([("tracestate", b"x" * (LONGEST + 1))], []),
    ],
)
def test_only_headers_of_a_trace_are_read(given: list[Any], kept: Headers) -> None:
    assert trace_headers_of(given) == kept


def test_without_a_tracer_nothing_is_wrapped_and_no_record_has_headers() -> None:
    processor = Doubling()
    assert traced(processor, SimpleNamespace(), None) is processor  # type: ignore[arg-type]
    written = worked_on([taken(0, b"a", headers=GIVEN)])
    assert set(map(tuple, written.values())) == {()}
    assert tracing.tracer() is None
    assert attempts.carrying is carrying


PROCESSES = """
import sys
import ingest.ftp.process, ingest.http.process, ingest.smpp.process
import pipeline.accounts.process, pipeline.conversation.process, pipeline.delivery.process
import pipeline.sender.process, pipeline.store.process
from pipeline.process.trace_setting import trace_by
from pipeline.settings import Settings
trace_by(Settings(otel_endpoint=sys.argv[1]), "worker")
print(sum(name.startswith("opentelemetry") for name in sys.modules))
"""


@pytest.mark.parametrize(("endpoint", "imports"), [("", False), ("http://127.0.0.1:9", True)])
def test_without_the_setting_nothing_of_opentelemetry_is_imported(
    endpoint: str, imports: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, endpoint], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) > 0) is imports


def test_the_setting_without_the_packages_is_refused_with_words() -> None:
    code = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from pipeline.process.trace_setting import trace_by\n"
        "from pipeline.settings import Settings\n"
        "trace_by(Settings(otel_endpoint='http://127.0.0.1:9'), 'worker')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "twoway worker: otel_endpoint needs the packages of the extra otel:"
        " pip install 'twoway[otel]'\n"
    )


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="otel_endpoint must begin with http"):
        Settings(otel_endpoint="localhost:4317")
    assert Settings(otel_endpoint="https://collector:4318").otel_endpoint


class Hearing(FakePublisher):
    """Keeps what each record would carry."""

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Any:
        self.__dict__.setdefault("heard", []).append(carried())
        return super().publish(topic, key=key, value=value)


async def test_a_request_goes_on_with_the_trace_of_the_application(
    spans: InMemorySpanExporter,
) -> None:
    del spans  # the tracer is there
    publisher = Hearing()
    body = b'{"to": "447700900001", "text": "hi"}'
    async with running(publisher=publisher) as ingest:
        await ingest.post("/mt", body, f"traceparent: {GIVEN[0][1].decode()}")
        await ingest.post("/mt", body, "traceparent: " + "x" * 2_000)
        await ingest.post("/mt", body)
        await ingest.get(f"/mo/http?from=1&to=2&traceparent={GIVEN[0][1].decode()}")
    assert publisher.__dict__["heard"] == [GIVEN, None, None, None]


def test_an_order_to_hand_on_carries_what_led_to_it() -> None:
    partition = DeliveryPartition()
    with carrying(GIVEN):
        partition.receive("m1")
    partition.receive("m2", "447900000002")
    assert [order.trace for order in partition.handed_over] == [GIVEN, None]


@pytest.mark.parametrize(("outcome", "is_ok"), [("delivered", True), ("failed", False)])
def test_an_attempt_is_a_span_of_the_messages_trace(
    spans: InMemorySpanExporter, outcome: str, is_ok: bool
) -> None:
    partition = DeliveryPartition()
    with carrying(GIVEN):
        partition.receive("m1")
    order = partition.next_order()
    span = AttemptSpan(order)
    span.end(result_of(order, delivered=is_ok))
    (made,) = spans.get_finished_spans()
    assert (made.name, made.context.trace_id, made.parent.span_id) == (
        "hand on http-post", TRACE, PARENT,
    )  # fmt: skip
    assert (made.attributes["twoway.subject_id"], made.attributes["twoway.outcome"]) == (
        "m1", outcome,
    )  # fmt: skip
    assert made.status.is_ok is is_ok
    assert span.headers == [("traceparent", traceparent_of(made))]


def test_no_span_holds_a_handset(spans: InMemorySpanExporter) -> None:
    partition = DeliveryPartition()
    partition.receive("m1")
    order = partition.next_order()
    AttemptSpan(order).end(result_of(order))
    (made,) = spans.get_finished_spans()
    assert order.handset not in f"{made.name} {dict(made.attributes)} {made.status.description}"
