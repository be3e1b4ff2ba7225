"""Spans as a collector sees them: in one trace across processes, and without a word of any value."""

import asyncio
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from easynet.core.errors import Overloaded, RemoteFailure
from easynet.fabric.telemetry.tracing import Tracer

TRACEPARENT = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-0[13]")


class Collector:
    """Two processes' tracers, and all spans that they sent."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        self.client, self.node = self._tracer(), self._tracer()

    def _tracer(self) -> Tracer:
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        return Tracer(provider)

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {f"{span.name} {span.kind.name}": span for span in self._memory.get_finished_spans()}


@pytest.fixture
def collector() -> Collector:
    return Collector()


def trace_of(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


def test_call_and_its_work_at_the_node_are_one_trace(collector: Collector) -> None:
    with collector.client.span("my program"):
        call = collector.client.call("add", "gpu")
        assert TRACEPARENT.fullmatch(call.traceparent)
        with collector.node.served("add", "gpu", call.traceparent):
            pass
        call.end()
    spans = collector.spans
    program, sent, served = spans["my program INTERNAL"], spans["add CLIENT"], spans["add SERVER"]
    assert len({trace_of(span) for span in spans.values()}) == 1
    assert sent.parent is not None
    assert served.parent is not None
    assert program.context is not None
    assert sent.context is not None
    assert sent.parent.span_id == program.context.span_id
    assert served.parent.span_id == sent.context.span_id


def test_span_has_the_attributes_of_the_conventions(collector: Collector) -> None:
    collector.client.call("add", "gpu").end()
    span = collector.spans["add CLIENT"]
    assert span.kind is SpanKind.CLIENT
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "easynet",
        "rpc.method": "add",
        "server.address": "gpu",
    }
    assert span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("secret 4711"), "ValueError"),
        (Overloaded("secret 4711"), "overloaded"),
        (RemoteFailure("KeyError", "secret 4711", "secret 4711"), "KeyError"),
        (RemoteFailure("secret 4711", ""), "_OTHER"),
        (asyncio.CancelledError("secret 4711"), "CancelledError"),
    ],
)
def test_error_is_told_by_its_kind_alone(collector: Collector, error: BaseException, kind: str) -> None:
    def fail() -> None:
        with collector.node.served("add", "gpu", ""):
            raise error

    with pytest.raises(type(error)):
        fail()
    collector.client.call("add").end(error)
    for span in collector.spans.values():
        assert (span.attributes or {})["error.type"] == kind
        assert span.status.status_code is StatusCode.ERROR
        assert "secret" not in span.to_json()


def test_nothing_is_injected_outside_a_span(collector: Collector) -> None:
    assert collector.client.inject() == ""


async def test_span_is_current_in_what_it_starts(collector: Collector) -> None:
    async def inside() -> str:
        return collector.node.inject()

    with collector.node.served("add", "gpu", "") as span:
        assert await asyncio.create_task(inside()) == span.traceparent
    assert collector.node.inject() == ""


def test_served_call_without_a_caller_begins_a_trace(collector: Collector) -> None:
    with collector.node.span("what started the node"), collector.node.served("add", "gpu", ""):
        pass
    assert collector.spans["add SERVER"].parent is None


def test_other_work_can_go_on_with_a_trace(collector: Collector) -> None:
    call = collector.client.call("add")
    with collector.node.span("job.submit", call.traceparent, waiting=3):
        pass
    call.end()
    span = collector.spans["job.submit INTERNAL"]
    assert trace_of(span) == trace_of(collector.spans["add CLIENT"])
    assert (span.attributes or {})["waiting"] == 3


HOSTILE = st.text(max_size=600) | st.from_regex(
    r"[0-9a-f]{2}-[0-9a-f]{30,33}-[0-9a-f]{15,17}-[0-9a-f]{2}(-.*)?", fullmatch=True
)


@given(HOSTILE)
def test_any_text_as_traceparent_gives_a_sound_span(text: str) -> None:
    collector = Collector()
    with collector.node.served("add", "gpu", text) as span:
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", span.traceparent)


def answer_of(script: str, **environment: str) -> str:
    """What a process of its own prints, since a provider is set once in a process."""
    ran = subprocess.run(
        (sys.executable, "-c", script), capture_output=True, text=True, check=True, env=environment
    )
    return ran.stdout + ran.stderr


ASK = "from easynet.fabric.telemetry.tracing import tracer; import sys; t = tracer();"


def test_tracing_is_off_unless_asked_for() -> None:
    assert answer_of(f"{ASK} print(t, 'opentelemetry' in sys.modules)") == "None False\n"
    assert answer_of(f"import opentelemetry.trace; {ASK} print(t)") == "None\n"


def test_tracing_is_on_where_the_program_set_a_provider() -> None:
    setting = (
        "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider;"
        "trace.set_tracer_provider(TracerProvider());"
    )
    assert "Tracer object" in answer_of(f"{setting} {ASK} print(t)")


def test_setting_sends_spans_where_the_standard_variables_say() -> None:
    told = answer_of(
        f"{ASK} tracer(); t.call('add', 'gpu').end()",
        EASYNET_OTEL="1",
        OTEL_TRACES_EXPORTER="console",
        OTEL_SERVICE_NAME="my-lab",
    )
    assert told.count('"name": "add"') == 1
    assert '"service.name": "my-lab"' in told


def test_exporter_none_means_off() -> None:
    assert answer_of(f"{ASK} print(t)", EASYNET_OTEL="1", OTEL_TRACES_EXPORTER="none") == "None\n"


def test_exporter_that_is_not_installed_is_named() -> None:
    script = (
        "from easynet.fabric.telemetry.tracing import tracer\n"
        "try: tracer()\n"
        "except Exception as e: print(type(e).__name__, e.message, e.hint)"
    )
    told = answer_of(script, EASYNET_OTEL="1", OTEL_TRACES_EXPORTER="zipkan")
    assert told.startswith("SettingsError no OpenTelemetry exporter named 'zipkan'")


def test_missing_library_is_named_with_its_extra() -> None:
    script = (
        "import easynet.fabric.telemetry.tracing as t\n"
        "t.find_spec = lambda name: None\n"
        "try: t.tracer()\n"
        "except Exception as e: print(type(e).__name__, e.hint)"
    )
    told = answer_of(script, EASYNET_OTEL="1")
    assert told.startswith("MissingExtra Run: pip install 'easynet-os[otel]'")
