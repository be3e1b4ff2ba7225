"""A collector of OpenTelemetry traces on loopback, which takes what exporters post and keeps the spans."""

import http.server
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclass(frozen=True)
class SeenSpan:
    """A span as it arrived."""

    service: str
    """The process that it came from."""
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    """"" for the root of a trace."""
    attributes: dict[str, Any]
    is_error: bool
    events: int
    words: str
    """All of it as text."""


class Collector:
    """Listens on a port of its own until it is closed."""

    def __init__(self) -> None:
        spans: list[SeenSpan] = []
        self.spans = spans

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                spans.extend(_spans_of(ExportTraceServiceRequest.FromString(body)))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing of visits."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def environment(self, service: str) -> dict[str, str]:
        """What a process is told that sends its spans here."""
        return {
            "EASYNET_OTEL": "1",
            "OTEL_SERVICE_NAME": service,
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self._server.server_port}",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        }

    def __enter__(self) -> "Collector":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def of_trace(self, trace: str) -> list[SeenSpan]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace == trace]


def _spans_of(request: ExportTraceServiceRequest) -> list[SeenSpan]:
    found: list[SeenSpan] = []
    for group in request.resource_spans:
        resource = {a.key: a.value.string_value for a in group.resource.attributes}
        found += [
            _seen(span, resource["service.name"]) for scope in group.scope_spans for span in scope.spans
        ]
    return found


def _seen(span: Span, service: str) -> SeenSpan:
    values = {a.key: getattr(a.value, str(a.value.WhichOneof("value"))) for a in span.attributes}
    return SeenSpan(
        service,
        span.name,
        Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        values,
        span.status.code == Status.STATUS_CODE_ERROR,
        len(span.events),
        str(span),
    )
