"""The doors for code without `async`, and programs that forget to close them."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from easynet import Client, ComputeNode, RemoteFailure, Server
from easynet.core.errors import GatewayUnreachable, UnknownFunction, UsageError
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

NODE = """
import sys
from easynet import ComputeNode

node = ComputeNode(sys.argv[1], name="my-node")

@node.register
def add(a, b=1):
    return a + b

@node.register(name="count", en="Count up")
def numbers(n):
    yield from range(n)

@node.register
def fail():
    raise KeyError("missing")

print("registered", flush=True)
node.serve()
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(host="127.0.0.1", port=0) as server:
        yield server


@pytest.fixture
def node_process(server: Server) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", NODE, server.url], stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


def wait_for_node(client: Client, present: bool = True) -> None:
    waited, until = threading.Event(), time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if bool(client.nodes()) is present:
            return
        waited.wait(0.01)
    raise AssertionError(f"the node is {'absent' if present else 'present'} after {PATIENCE_S:g} s")


def test_three_processes_work_together(server: Server, node_process: "subprocess.Popen[str]") -> None:
    address = server.url.removeprefix("nats://")
    with Client(address) as client:
        wait_for_node(client)
        assert client.execute("add", 2, 3) == 5
        assert client.execute("my-node.add", 2, b=3) == 5
        assert list(client.stream("count", 4)) == [0, 1, 2, 3]
        assert [f.description for f in client.functions()] == ["add", "Count up", "fail"]
        with pytest.raises(RemoteFailure) as caught:
            client.execute("fail")
        assert caught.value.remote_type == "KeyError"
        assert "in fail" in caught.value.remote_traceback
        with pytest.raises(UnknownFunction):
            client.execute("ad")
        node_process.terminate()
        assert node_process.wait(PATIENCE_S) == 0
        wait_for_node(client, present=False)


def test_a_stream_may_be_left_early(server: Server, node_process: "subprocess.Popen[str]") -> None:
    with Client(server.url) as client:
        wait_for_node(client)
        stream = client.stream("count", 10**9)
        assert [next(stream) for _ in range(100)] == list(range(100))
        stream.close()
        assert client.execute("add", 1) == 2


def test_a_client_may_be_used_from_several_threads(
    server: Server, node_process: "subprocess.Popen[str]"
) -> None:
    results: list[int] = []
    with Client(server.url) as client:
        wait_for_node(client)

        def work() -> None:
            for i in range(20):
                results.append(client.execute("add", i))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE_S)
    assert sorted(results) == sorted(list(range(1, 21)) * 4)


def test_a_closed_door_says_so(server: Server) -> None:
    client = Client(server.url)
    client.close()
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.execute("add", 1)
    stopped = Server()
    with pytest.raises(UsageError, match="start"):
        _ = stopped.url
    stopped.stop()


def test_a_server_starts_once_and_may_start_again() -> None:
    server = Server()
    server.start()
    with pytest.raises(UsageError, match="started already"):
        server.start()
    url = server.url
    server.stop()
    with pytest.raises(GatewayUnreachable):
        Client(url)
    server.start()
    with Client(server.url) as client:
        assert client.nodes() == []
    server.stop()


def loops() -> int:
    return sum(thread.name in ("easynet-client", "easynet-server") for thread in threading.enumerate())


def test_what_is_forgotten_is_closed_when_it_is_collected() -> None:
    server = Server()
    server.start()
    client = Client(server.url)
    assert loops() == 2
    del client, server
    gc.collect()
    assert loops() == 0


def test_a_loop_that_is_running_is_not_blocked_by_its_own_door(server: Server) -> None:
    with Client(server.url) as client:
        portal = client._portal  # pyright: ignore[reportPrivateUsage]

        async def call_back() -> object:
            return client.nodes()

        with pytest.raises(RuntimeError, match="own event loop"):
            portal.call(call_back)


def test_a_program_that_closes_nothing_ends_quietly_and_its_server_with_it(tmp_path: Path) -> None:
    program = """
import sys
from easynet import Client, Server
server = Server()
server.start()
client = Client(server.url)
print(server._gateway._server.nats._process.pid)
"""
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    assert done.stderr == ""
    assert not Path(f"/proc/{done.stdout.strip()}").exists()


def test_a_node_that_cannot_enter_says_why(tmp_path: Path) -> None:
    with pytest.raises(GatewayUnreachable):
        ComputeNode("127.0.0.1:1", name="n").serve()
