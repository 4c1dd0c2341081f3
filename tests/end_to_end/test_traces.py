"""One trace over all processes: from the request of an application to the call at the gateway."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.collector import SpanSeen
    from tests.support.played import Played
    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]

HANDSET, NUMBER = "447700900002", "447700900999"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"  # W3C Trace Context 3.2.3
SECONDS = 60


def wait_for(found: Callable[[], list[SpanSeen]], names: set[str], stack: RunningStack) -> None:
    deadline = time.monotonic() + SECONDS
    while missing := names - {f"{span.service}: {span.name}" for span in found()}:
        assert time.monotonic() < deadline, f"{missing} missing\n{stack.said()}"
        time.sleep(0.1)


def parents_of(spans: list[SpanSeen]) -> dict[str, str]:
    """Of each span the name of the one before it; `given` for the caller's own."""
    names = {span.span: span.name for span in spans} | {PARENT: "given"}
    return {span.name: names.get(span.parent, "nobody") for span in spans}


def test_a_trace_goes_from_ingest_by_the_worker_to_the_sender(played: Played) -> None:
    stack, collector = played.running, played.collector
    if collector is None:
        pytest.skip("the extra otel is not installed")
    earlier = {span.trace for span in collector.spans}

    def ours() -> list[SpanSeen]:
        return [span for span in collector.spans if span.trace not in earlier]

    # A message in: its part is published and worked on in one trace that begins with us.
    stack.cli("text", HANDSET, NUMBER, "Hello", "--mo-way", "http-get")
    wait_for(ours, {"twoway-ingest: publish mo-raw", "twoway-worker: process mo-raw"}, stack)
    (begun,) = (span for span in ours() if span.name == "publish mo-raw")
    assert (begun.service, begun.parent) == ("twoway-ingest", "")
    (worked_on,) = (span for span in ours() if span.name == "process mo-raw")
    assert (worked_on.trace, worked_on.parent) == (begun.trace, begun.span)

    # A message out goes on with the application's own trace.
    body = {"to": HANDSET, "from": NUMBER, "text": "Hello yourself"}
    headers = {"Idempotency-Key": "order-1", "traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = httpx.post(f"{stack.stack.ingest}/mt", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    names = {
        "twoway-ingest: publish mt-request",
        "twoway-worker: process mt-request",
        "twoway-worker: process mt-ask",
        "twoway-sender: submit http",
        "twoway-worker: process mt-result",
    }
    wait_for(lambda: collector.of_trace(TRACE), names, stack)
    spans = collector.of_trace(TRACE)
    assert parents_of(spans) == {
        "publish mt-request": "given",
        "process mt-request": "publish mt-request",
        "process mt-ask": "process mt-request",
        "submit http": "process mt-request",
        "process mt-result": "submit http",
    }
    (call,) = (span for span in spans if span.name == "submit http")
    assert call.notes["twoway.outcome"] == "submitted"
    assert call.notes["twoway.request_id"] == "order-1"
    assert call.notes["twoway.command_id"]
    said = json.dumps([span.notes for span in collector.spans])
    assert HANDSET not in said
    assert "Hello" not in said
