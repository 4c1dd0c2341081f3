"""A collector of traces by OTLP over HTTP, as a thread of the test."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from types import TracebackType


@dataclass(frozen=True)
class SpanSeen:
    """A span that arrived; ids in hex, the parent empty for the first of a trace."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    notes: dict[str, Any]


class Collector:
    """Keeps what is exported to it, as long as it is open."""

    def __init__(self) -> None:
        self.spans: list[SpanSeen] = []
        collector = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    octets = gzip.decompress(octets)
                if self.path == "/v1/traces":
                    collector.take(octets)
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def endpoint(self) -> str:
        """What the setting otel_endpoint takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, octets: bytes) -> None:
        """Keep the spans of one export."""
        for of_process in ExportTraceServiceRequest.FromString(octets).resource_spans:
            said = {each.key: each.value.string_value for each in of_process.resource.attributes}
            self.spans += [
                SpanSeen(
                    service=said["service.name"],
                    name=span.name,
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    notes={
                        each.key: getattr(each.value, each.value.WhichOneof("value"))
                        for each in span.attributes
                    },
                )
                for scope in of_process.scope_spans
                for span in scope.spans
            ]

    def of_trace(self, trace: str) -> list[SpanSeen]:
        """The spans of one trace, in the order of arrival."""
        return [span for span in self.spans if span.trace == trace]
