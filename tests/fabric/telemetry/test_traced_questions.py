"""The trace context of a question, as the gateway reads it: what a stranger writes there is nothing to it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from easynet.core.errors import BadData
from easynet.fabric.telemetry.traced_questions import trace_of, traced
from easynet.fabric.telemetry.tracing import Tracer

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def question(headers: dict[str, str] | None) -> Msg:
    return Msg(Client(), subject="reg.find.ana", headers=headers)


async def think(subject: str, content: Any) -> Any:
    if content is None:
        raise BadData("nothing was asked")
    return content


def tracer(memory: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return Tracer(provider)


def test_trace_is_read_from_its_header() -> None:
    assert trace_of(question({"traceparent": TRACE})) == TRACE


@given(st.none() | st.dictionaries(st.sampled_from(["traceparent", "other"]), st.text(max_size=80)))
def test_anything_else_is_no_trace(headers: dict[str, str] | None) -> None:
    assert trace_of(question(headers)) == ""


def test_answer_has_no_span_where_nobody_traces() -> None:
    assert traced(None, question({"traceparent": TRACE}), think) is think
    assert traced(tracer(InMemorySpanExporter()), question(None), think) is think


async def test_answer_that_is_a_refusal_is_told_by_its_code() -> None:
    memory = InMemorySpanExporter()
    answer = traced(tracer(memory), question({"traceparent": TRACE}), think)
    assert await answer("reg.find.ana", "add") == "add"
    with pytest.raises(BadData):
        await answer("reg.find.ana", None)
    good, bad = memory.get_finished_spans()
    assert good.name == bad.name == "gateway/find"
    assert good.parent is not None
    assert f"{good.parent.span_id:016x}" == "b" * 16
    assert (bad.attributes or {})["error.type"] == BadData.code
