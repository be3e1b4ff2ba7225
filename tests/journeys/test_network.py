"""A network of several machines, in real processes, each user with a home of their own."""

import asyncio
import json
import re
import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from easynet.fabric.gateway import enrolment
from easynet.fabric.gateway.owner import Owner
from tests.journeys.machine import GATEWAY, Machine, Running

pytestmark = pytest.mark.slow

FUNCTIONS = '''
import time
from pathlib import Path


def shout(text: str) -> str:
    """Say it louder."""
    return text.upper() + "!"


def count(n: int):
    """Count up to n."""
    yield from range(n)


def lines(file: Path) -> int:
    """Count the lines of a file."""
    return len(file.read_text().splitlines())


def report(title: str) -> dict:
    """Write a report."""
    path = Path("report.txt")
    path.write_text(title)
    return {"title": title, "file": path}


def fail(why: str):
    """Fail."""
    raise ValueError(why)


def sleep(seconds: float, mark: str, gate: str = ""):
    """Leave a mark and sleep; where there is a gate, until it is there."""
    Path(mark).touch()
    time.sleep(seconds)
    while gate and not Path(gate).exists():
        time.sleep(0.01)
    return "slept"
'''


@pytest.fixture
def server(tmp_path: Path) -> Machine:
    return Machine.under(tmp_path, "server")


@pytest.fixture
def gpu(tmp_path: Path) -> Machine:
    machine = Machine.under(tmp_path, "gpu")
    (machine.folder / "my_functions.py").write_text(FUNCTIONS)
    return machine


@pytest.fixture
def laptop(tmp_path: Path) -> Machine:
    return Machine.under(tmp_path, "laptop")


@pytest.fixture(params=["tls"])
def gateway(server: Machine, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A gateway that is reached from other machines: this one's address stands in for theirs."""
    reach = ("0.0.0.0:0", "--advertise", "127.0.0.1") if request.param == "tls" else ("127.0.0.1:0",)
    with server.running(*GATEWAY, *reach) as gateway:
        gateway.line_with("easynet invite node")
        yield gateway


def join(server: Machine, machine: Machine, kind: str, name: str, *terms: str) -> None:
    command = server.must("invite", kind, "--name", name, *terms)
    assert re.fullmatch(r"easynet join \S+\n", command)
    machine.must("join", command.split()[-1])


def enter(server: Machine, machine: Machine, kind: Literal["node", "client"], name: str) -> None:
    """What `join` does, without the seconds that its commands take to load."""

    async def invite_and_join() -> None:
        [way_in] = (server.folder / "data" / "gateways").glob("*.json")
        async with Owner(f"127.0.0.1:{way_in.stem}", data_dir=server.folder / "data") as owner:
            await enrolment.join(await owner.invite(kind, name), machine.folder / "data")

    asyncio.run(invite_and_join())


@pytest.fixture
def node(gateway: Running, server: Machine, gpu: Machine) -> Iterator[Running]:
    enter(server, gpu, "node", "gpu-node")
    with gpu.running("node", "serve", "my_functions.py") as node:
        node.line_with("easynet call gpu-node.shout")
        yield node


@pytest.fixture
def ana(node: Running, server: Machine, laptop: Machine) -> Machine:
    """Somebody who may call."""
    enter(server, laptop, "client", "ana")
    return laptop


def test_function_on_one_machine_is_called_from_another(ana: Machine, gpu: Machine) -> None:
    assert ana.must("call", "gpu-node.shout", '"hello"') == '"HELLO!"\n'
    assert ana.must("call", "shout", "text=hello") == '"HELLO!"\n'
    assert ana.must("call", "count", "3") == "0\n1\n2\n"
    (ana.folder / "table.csv").write_text("a\n1\n2\n")
    assert ana.must("call", "lines", "@table.csv") == "3\n"
    assert "gpu-node" in ana.must("nodes")
    assert "shout" in ana.must("functions")
    for name in ("report.txt", "report-1.txt"):
        result = json.loads(ana.must("call", "report", "My title"))
        assert result == {"title": "My title", "file": name}
        assert (ana.folder / name).read_text() == "My title"


def test_what_fails_says_why_and_has_its_exit_code(ana: Machine) -> None:
    failed = ana.run("call", "fail", "no luck")
    assert failed.returncode == 6
    assert failed.stdout == ""
    assert "ValueError: no luck" in failed.stderr
    assert "my_functions.py, line" in failed.stderr
    assert "Traceback" not in failed.stderr
    for arguments, code, said in (
        (("call", "shuot", "x"), 2, "Did you mean 'shout'?"),
        (("call", "other.shout", "x"), 6, "no node named 'other'"),
        (("call", "shout"), 2, "shout needs 'text'"),
        (("call", "lines", "@nowhere.csv"), 2, "nowhere.csv"),
        (("call", "sleep", "60", "mark", "--timeout", "0.5s"), 6, "did not finish within 0.5 s"),
        (("call", "shout", "x", "--timeout", "soon"), 2, "--timeout"),
    ):
        ended = ana.run(*arguments)
        assert ended.returncode == code, ended.stderr
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr


def test_call_leaves_a_receipt_that_can_be_checked(ana: Machine) -> None:
    assert ana.run("call", "shout", "hi", "--receipt", "receipts.txt").stdout == '"HI!"\n'
    assert ana.run("call", "fail", "no luck", "--receipt", "receipts.txt").returncode == 6
    checked = ana.must("receipts", "verify", "receipts.txt")
    assert "gpu-node ran shout for ana" in checked
    assert "gpu-node ran fail for ana" in checked
    file = ana.folder / "receipts.txt"
    file.write_text(file.read_text().replace('"ana"', '"ben"', 1))
    assert ana.run("receipts", "verify", "receipts.txt").returncode == 2
    (ana.folder / "folder").mkdir()
    assert ana.run("call", "shout", "hi", "--receipt", "folder").returncode == 2


def test_network_that_nobody_named_is_said(ana: Machine) -> None:
    assert "Network: 127.0.0.1:" in ana.run("nodes").stderr
    assert "joined as ana" in ana.run("nodes").stderr
    done = ana.run("say hello louder", "-i", "text=hello", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HELLO!" in done.stdout
    assert "joined as ana" in done.stderr
    alone = ana.run("functions", "--gateway", "embedded")
    assert "shout" not in alone.stdout
    assert "Network:" not in alone.stderr


def test_interrupted_call_ends_at_once_and_without_a_traceback(ana: Machine, tmp_path: Path) -> None:
    with ana.running("call", "sleep", "60", str(tmp_path / "mark")) as call:
        wait_for(tmp_path / "mark")
        code, stderr = call.end()
    assert code == 130
    assert "Traceback" not in stderr


def test_token_is_good_for_one_device(
    gateway: Running, server: Machine, laptop: Machine, gpu: Machine
) -> None:
    command = server.must("invite", "client", "--name", "ana")
    assert "Joined the network" in laptop.must("join", "-", stdin=command)
    again = gpu.run("join", "-", stdin=command)
    assert again.returncode == 7
    assert "used already" in again.stderr


def test_who_is_shut_out_stays_out(ana: Machine, server: Machine) -> None:
    assert "ana is shut out" in server.must("revoke", "client", "ana")
    refused = ana.run("call", "shout", "x")
    assert refused.returncode == 7
    assert "Ask the gateway's owner for a new token" in refused.stderr
    members = json.loads(server.must("gateway", "status", "--json"))["members"]
    assert {m["name"]: m["revoked_at"] > 0 for m in members} == {"ana": True, "gpu-node": False}
    assert server.run("revoke", "client", "ana").returncode == 2


def test_client_calls_only_what_it_was_invited_for(node: Running, server: Machine, laptop: Machine) -> None:
    join(server, laptop, "client", "ben", "--functions", "shout,gpu-node.count")
    assert laptop.must("call", "shout", "hi") == '"HI!"\n'
    denied = laptop.run("call", "fail", "x")
    assert denied.returncode == 7
    assert "fail" in denied.stderr
    listed = [json.loads(line) for line in laptop.must("functions", "--json").splitlines()]
    assert {f["name"] for f in listed if f["allowed"]} == {"shout", "count"}
    assert len(listed) == 6
    assert "not allowed" in laptop.must("functions", "fail")


def test_call_goes_to_a_node_at_which_the_client_may_call(
    node: Running, server: Machine, gpu: Machine, laptop: Machine
) -> None:
    join(server, laptop, "client", "ben", "--functions", "gpu-node.shout")
    with server.running("node", "serve", str(gpu.folder / "my_functions.py"), "--name", "home") as other:
        other.line_with("easynet call home.shout")
        assert [laptop.must("call", "shout", str(n)) for n in range(4)] == [f'"{n}!"\n' for n in range(4)]
        assert laptop.run("call", "home.shout", "x").returncode == 7


def test_device_that_serves_a_node_is_told_how_to_become_a_client(node: Running, gpu: Machine) -> None:
    called = gpu.run("call", "shout", "x")
    assert called.returncode == 2
    assert called.stderr.startswith("Network: embedded, on this machine alone\n")
    assert "as the node gpu-node" in called.stderr
    assert "easynet invite client" in called.stderr
    assert "as the node gpu-node" in gpu.run("jobs").stderr


def test_device_that_never_joined_is_told_that_its_network_is_embedded(laptop: Machine) -> None:
    listed = laptop.run("functions")
    assert listed.returncode == 0
    assert listed.stderr == "Network: embedded, on this machine alone\n"


def test_gateway_that_starts_again_is_found_by_all_who_joined(
    gateway: Running, ana: Machine, server: Machine
) -> None:
    port = re.findall(r":(\d+)", server.must("gateway", "status"))[0]
    assert gateway.end(signal.SIGTERM)[0] == 0
    assert ana.run("call", "shout", "x").returncode == 7
    with server.running(*GATEWAY, f"0.0.0.0:{port}", "--advertise", "127.0.0.1") as again:
        again.line_with("Gateway at")
        for _ in range(50):
            ended = ana.run("call", "shout", "x")
            if ended.returncode == 0:
                break
        assert ended.stdout == '"X!"\n', ended.stderr
        assert again.end()[0] == 0


def test_one_gateway_has_a_data_directory_and_a_port(server: Machine, laptop: Machine) -> None:
    with server.running(*GATEWAY, "127.0.0.1:0") as gateway:
        address = gateway.gateway()
        second = server.run(*GATEWAY, "127.0.0.1:0")
        assert second.returncode == 2
        assert f"process {gateway.process.pid}" in second.stderr
        port_taken = laptop.run(*GATEWAY, address)
        assert port_taken.returncode == 2
        assert "in use" in port_taken.stderr
        elsewhere = server.folder / "another"
        with server.running(*GATEWAY, "127.0.0.1:0", "--data", str(elsewhere)) as other:
            other_address = other.gateway()
            assert (elsewhere / "gateway").is_dir()
            unclear = server.run("gateway", "status")
            assert unclear.returncode == 2
            assert "--gateway" in unclear.stderr
            assert str(elsewhere) in server.must("gateway", "status", "--gateway", other_address)
        assert gateway.end()[0] == 0


def test_gateway_tells_its_story_and_its_metrics(server: Machine, gpu: Machine) -> None:
    with server.running(*GATEWAY, "127.0.0.1:0", "--metrics-port", "0") as gateway:
        url = gateway.line_with("Metrics at").split()[2].rstrip(",")
        join(server, gpu, "node", "gpu-node")
        with gpu.running("node", "serve", "my_functions.py") as node:
            node.line_with("gpu-node")
            scraped = urllib.request.urlopen(url).read().decode()
            assert re.search(r"^easynet_\S*nodes\S* 1", scraped, flags=re.MULTILINE), scraped
        code, story = gateway.end()
    assert code == 0
    for words in ("node gpu-node is invited", "node gpu-node joined", "node gpu-node offers 6 functions"):
        assert words in story
    assert "enj1_" not in story


def test_node_without_a_file_serves_the_specialists(gateway: Running, server: Machine, gpu: Machine) -> None:
    with server.running("node", "serve", "--name", "home") as node:
        assert "The node home offers" in node.line_with("offers")
        assert len(server.must("functions", "--json").splitlines()) >= 14
        assert node.end(signal.SIGTERM)[0] == 0


def test_interrupted_node_finishes_what_it_runs(node: Running, ana: Machine, tmp_path: Path) -> None:
    with ana.running("call", "sleep", "0", str(tmp_path / "mark"), str(tmp_path / "gate")) as call:
        wait_for(tmp_path / "mark")
        node.process.send_signal(signal.SIGINT)
        assert node.process.stderr is not None
        assert "Ctrl-C again" in node.process.stderr.readline()
        (tmp_path / "gate").touch()
        assert call.process.stdout is not None
        assert call.process.stdout.read() == '"slept"\n'
    code, said = node.wait()
    assert code == 0
    assert "gpu-node has left" in said
    assert ana.run("call", "shout", "x").returncode == 2


def test_node_that_is_interrupted_twice_ends_at_once(node: Running, ana: Machine, tmp_path: Path) -> None:
    with ana.running("call", "sleep", "100", str(tmp_path / "mark")) as call:
        wait_for(tmp_path / "mark")
        node.process.send_signal(signal.SIGINT)
        assert node.process.stderr is not None
        assert "Ctrl-C again" in node.process.stderr.readline()
        assert node.end()[0] == 0
        assert call.wait()[0] == 6


def test_owner_lets_a_node_drain(node: Running, server: Machine, ana: Machine, tmp_path: Path) -> None:
    with ana.running("call", "sleep", "0", str(tmp_path / "mark"), str(tmp_path / "gate")) as call:
        wait_for(tmp_path / "mark")
        with server.running("node", "drain", "gpu-node") as drain:
            while ana.run("call", "shout", "x").returncode == 0:
                pass  # the command has not got so far yet
            (tmp_path / "gate").touch()
            assert drain.line_with("has left")
        assert call.process.stdout is not None
        assert call.process.stdout.read() == '"slept"\n'
    assert node.wait()[0] == 0
    gone = server.run("node", "drain", "gpu-node")
    assert gone.returncode == 2
    assert "no node named 'gpu-node'" in gone.stderr


CASES = [
    pytest.param(["join", "hello"], 7, "not a token", id="no token"),
    pytest.param(["join", "-"], 7, "no token on stdin", id="nothing on stdin"),
    pytest.param(["gateway", "status"], 7, "easynet gateway start", id="no gateway of one's own"),
    pytest.param(["invite", "node", "--name", "x"], 7, "easynet gateway start", id="nobody to invite to"),
    pytest.param(["invite", "robot", "--name", "x"], 2, "robot", id="unknown kind"),
    pytest.param(["invite", "node", "--name", "x", "--rate", "5"], 2, "--rate", id="rate of a node"),
    pytest.param(["invite", "client", "--name", "x", "--expires", "soon"], 2, "--expires", id="no time"),
    pytest.param(["node", "serve", "nowhere.py"], 2, "nowhere.py", id="missing file"),
    pytest.param(["node", "serve", "my_functions.py"], 7, "easynet join TOKEN", id="no network to serve"),
    pytest.param(["gateway", "start", "--listen", "banana:x"], 2, "--listen", id="no address"),
    pytest.param(["gateway", "start", "--data", "my_functions.py/x"], 2, "my_functions.py", id="no folder"),
    pytest.param(["gateway", "start", "--peers", "127.0.0.1:6222"], 2, "--cluster", id="peers alone"),
    pytest.param(["call", "shout", "x", "--gateway", "127.0.0.1:9"], 7, "127.0.0.1:9", id="no gateway there"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), CASES)
def test_bad_input_ends_with_a_sentence(arguments: list[str], code: int, said: str, gpu: Machine) -> None:
    ended = gpu.run(*arguments)
    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


def wait_for(path: Path) -> None:
    """Return once the file is there; the test's own time limit ends the waiting."""
    while not path.exists():
        time.sleep(0.01)
