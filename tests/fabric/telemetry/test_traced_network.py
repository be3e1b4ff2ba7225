"""Traces of real calls: a gateway, nodes and a client in processes of their own, and a collector."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fabric.telemetry.collector import Collector, SeenSpan

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SECRET = "secret-4711"


@dataclass(frozen=True)
class Story:
    """All that was seen of a client's doings, and under which trace."""

    collector: Collector
    trace_by_name: dict[str, str]
    port: int

    def of(self, name: str) -> list[SeenSpan]:
        return self.collector.of_trace(self.trace_by_name[name])

    def one(self, name: str, service: str, kind: str, span: str) -> SeenSpan:
        [found] = [s for s in self.of(name) if (s.service, s.kind, s.name) == (service, kind, span)]
        return found


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    """A process that ends with its standard input, or when it is asked to, and has sent its spans then."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
        process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def node(url: str, name: str, environment: dict[str, str]) -> Generator[None]:
    with running([str(HERE / "traced_node.py"), url, name], environment) as process:
        yield
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("traces")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    url = f"127.0.0.1:{port}"
    with Collector() as collector:

        def told(service: str) -> dict[str, str]:
            return {"EASYNET_DATA_DIR": str(folder / "data"), **collector.environment(service)}

        options = json.dumps({"data": str(folder / "data"), "listen": url})
        with running(["-m", "tests.fabric.gateway_process", options], told("gateway")) as gateway:
            assert gateway.stdout is not None
            assert gateway.stdout.readline() == "ready\n"
            client = [str(HERE / "traced_client.py"), url, str(folder / "marks")]
            with (
                node(url, "one", told("one")),
                node(url, "two", told("two")),
                running(client, told("client")) as c,
            ):
                answer, _ = c.communicate(timeout=60)
        yield Story(collector, json.loads(answer), port)


def test_call_is_one_trace_from_the_client_over_the_gateways_answer_to_the_node(story: Story) -> None:
    sent = story.one("call", "client", "CLIENT", "add")
    asked = story.one("call", "client", "CLIENT", "gateway/find")
    answered = story.one("call", "gateway", "SERVER", "gateway/find")
    [served] = [span for span in story.of("call") if span.service in ("one", "two")]
    assert (served.name, served.kind) == ("add", "SERVER")
    assert served.parent == asked.parent == sent.id
    assert answered.parent == asked.id
    root = story.one("call", "client", "INTERNAL", "call")
    assert (sent.parent, root.parent) == (root.id, "")
    assert len(story.of("call")) == 5


def test_call_of_a_known_node_passes_nobody_but_the_client_and_the_node(story: Story) -> None:
    sent = story.one("again", "client", "CLIENT", "add")
    assert story.one("again", "one", "SERVER", "add").parent == sent.id
    assert {span.service for span in story.of("again")} == {"client", "one"}


def test_spans_have_the_names_and_attributes_of_the_conventions(story: Story) -> None:
    sent, served = (story.one("again", s, k, "add") for s, k in (("client", "CLIENT"), ("one", "SERVER")))
    assert sent.attributes == served.attributes
    assert sent.attributes == {"rpc.system.name": "easynet", "rpc.method": "add", "server.address": "one"}
    assert [sent.is_error, served.is_error] == [False, False]
    asked = story.one("find", "client", "CLIENT", "gateway/find")
    assert asked.attributes == {
        "rpc.system.name": "easynet",
        "rpc.method": "gateway/find",
        "server.address": "127.0.0.1",
        "server.port": story.port,
    }


def test_question_to_the_gateway_has_its_answer_below_it(story: Story) -> None:
    asked = story.one("find", "client", "CLIENT", "gateway/find")
    assert story.one("find", "gateway", "SERVER", "gateway/find").parent == asked.id


def test_error_of_a_function_is_noted_on_both_sides_by_its_kind_alone(story: Story) -> None:
    for service, kind in (("client", "CLIENT"), ("one", "SERVER")):
        span = story.one("error", service, kind, "fail")
        assert span.is_error
        assert span.attributes["error.type"] == "LookupError"
        assert span.attributes["rpc.response.status_code"] == "remote_failure"
        assert span.events == 0


def test_call_that_no_node_takes_is_an_error_of_the_client(story: Story) -> None:
    span = story.one("unknown", "client", "CLIENT", "nothing")
    assert (span.is_error, span.attributes["error.type"]) == (True, "unknown_function")
    assert {s.service for s in story.of("unknown")} == {"client", "gateway"}


def test_stream_is_one_call(story: Story) -> None:
    sent = story.one("stream", "client", "CLIENT", "numbers")
    [served] = [span for span in story.of("stream") if span.name == "numbers" and span.kind == "SERVER"]
    assert served.parent == sent.id
    assert served.service == sent.attributes["server.address"]
    assert story.one("stream", "client", "CLIENT", "gateway/find").parent == sent.id


def test_job_goes_from_the_client_through_the_gateway_to_the_node(story: Story) -> None:
    handed_in = story.one("job", "client", "CLIENT", "gateway/submit")
    taken = story.one("job", "gateway", "SERVER", "gateway/submit")
    called = story.one("job", "gateway", "CLIENT", "train")
    served = story.one("job", "one", "SERVER", "train")
    assert [taken.parent, called.parent, served.parent] == [handed_in.id, taken.id, called.id]
    assert called.attributes["server.address"] == "one"
    looked = story.one("job", "gateway", "CLIENT", "gateway/find")
    assert looked.parent == called.id


def test_failover_is_one_call_with_the_work_of_two_nodes_below_it(story: Story) -> None:
    sent = story.one("failover", "client", "CLIENT", "wait")
    served = [s for s in story.of("failover") if (s.name, s.kind) == ("wait", "SERVER")]
    assert {span.service for span in served} == {"one", "two"}
    assert {span.parent for span in served} == {sent.id}
    assert not sent.is_error
    assert {span.service: span.is_error for span in served}[sent.attributes["server.address"]] is False
    assert sorted(span.is_error for span in served) == [False, True]


def test_no_value_is_in_any_span(story: Story) -> None:
    assert story.collector.spans
    assert not [span.name for span in story.collector.spans if SECRET in span.words]
