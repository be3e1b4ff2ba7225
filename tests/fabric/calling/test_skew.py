"""A client and a node of different versions, and nodes that do not keep to the rules."""

import asyncio
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgpack
import pytest
from pydantic import ValidationError

from easynet.core.capability import Capability
from easynet.core.errors import BadFrame, EasyNetError, RemoteFailure, VersionMismatch, VersionSkewWarning
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.fabric.registry import Registry
from easynet.fabric.transport.connection import Connection
from easynet.fabric.transport.questions import ask
from easynet.fabric.wire import versions
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.calls import Call, decode_calls
from easynet.fabric.wire.frames import VERSION
from easynet.fabric.wire.greetings import decode_ping
from easynet.fabric.wire.updates import End, Failure, Item, Result, Update, decode_update, encode_update
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
NODE = Path(__file__).parents[1] / "node_process.py"
OTHER_VERSION = """
import runpy, sys
from easynet.fabric.wire import versions
versions.OWN = "99.1.0"
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("1.2.3", "1.2.4", False),
        ("1.2.3", "1.3.0", True),
        ("1.2.3", "2.2.3", True),
        ("1.2.3", "", False),
        ("1.2", "1.2.0rc1", False),
    ],
)
def test_versions_differ_by_more_than_corrections(one: str, other: str, expected: bool) -> None:
    assert versions.differ(one, other) is expected


async def test_another_version_works_with_one_warning_and_explains_what_does_not_fit(
    gateway: Gateway, client: AsyncClient, tmp_path: Path, until: Until
) -> None:
    command = [sys.executable, "-c", OTHER_VERSION, str(NODE), gateway.url, "a", str(tmp_path / "marks")]
    process = subprocess.Popen(command)  # noqa: ASYNC220 (ends with the test)
    try:
        await until(lambda: client.find(CapabilityName("twice")))
        with pytest.warns(VersionSkewWarning, match=r"99\.1\.0") as caught:
            await asyncio.gather(*(client.execute("a.twice", 0) for _ in range(3)))
        assert await client.execute("a.twice", 0)
        assert len(caught) == 1
        assert versions.OWN in str(caught[0].message)
        with pytest.raises(VersionMismatch, match="no argument 'minutes'") as mismatch:
            await client.execute("a.twice", minutes=0)
        assert "99.1.0" in mismatch.value.message
        assert versions.OWN in mismatch.value.message
    finally:
        process.kill()
        process.wait()


RAW = Node(
    name=NodeId("raw"),
    instance="1",
    capabilities=(Capability(name=CapabilityName("f"), description={"en": "f"}),),
)


class RawNode:
    """Takes calls as they come over the wire, and answers whatever a test says."""

    def __init__(self, gateway: Gateway, data_dir: Path) -> None:
        self.calls: asyncio.Queue[tuple[str, str, Call]] = asyncio.Queue()
        self.tokens: asyncio.Queue[str] = asyncio.Queue()
        way_in = WayIn(Address.parse(gateway.url), "node", data_dir, "raw")
        self.connection = Connection(Address.parse(gateway.url), way_in, name="node.raw.1")

    async def open(self) -> None:
        await self.connection.open()
        await self.connection.listen("fn.raw.>", self._receive)
        await self.connection.flush()

    def _receive(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        what = subject.split(".")[3]
        if what == "alive":
            self.tokens.put_nowait(decode_ping(data).token)
        if what == "call":
            for call in decode_calls(data):
                self.calls.put_nowait((reply, f"re.local.{call.inbox}.", call))

    def say(self, subject: str, update: Update) -> None:
        self.connection.send(subject, encode_update(update))


@pytest.fixture
async def raw(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[RawNode]:
    node = RawNode(gateway, own_data_dir)
    await node.open()
    yield node
    await node.connection.close()


def value(thing: object) -> bytes:
    return bytes(msgpack.packb(thing) or b"")


async def test_a_later_node_is_taken_whatever_more_it_says_of_itself(
    raw: RawNode, gateway: Gateway, own_data_dir: Path
) -> None:
    statistics = {"f": {"calls": 1, "later": 2}}
    output = {"name": "int", "later": 3}
    capability = {"name": "f", "description": {"en": "f"}, "output": output, "later": 4}
    said = {"name": "raw", "instance": "1", "later": [5], "capabilities": [capability]}
    async with AsyncClient(gateway.url) as client, Owner(gateway.url, data_dir=own_data_dir) as owner:
        await ask(raw.connection, "node.join.raw", said | {"statistics": statistics})
        statistics["f"]["calls"] = 6
        assert await ask(raw.connection, "node.beat.raw", ["1", 7, 8, statistics, "later"]) is True
        (node,) = await client.nodes()
        assert (node.running, node.waiting, node.statistics[CapabilityName("f")].calls) == (7, 8, 6)
        assert str(node.capabilities[0].output) == "int"
        assert (await owner.status()).nodes == (node,)


async def test_a_later_gateway_may_say_more_of_nodes_and_their_offers(
    raw: RawNode, gateway: Gateway, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask(raw.connection, "node.join.raw", RAW.model_dump(mode="json"))
    listing = Registry.listing

    def with_more(registry: Registry, capability: CapabilityName) -> list[list[object]]:
        return [[offer | {"later": 1}, *rest, "later"] for offer, *rest in listing(registry, capability)]

    monkeypatch.setattr(Registry, "listing", with_more)
    monkeypatch.setattr(Node, "model_dump", lambda node, **_: {"name": "raw", "instance": "1", "later": 1})
    assert [offer.node for offer in await client.find(CapabilityName("f"))] == ["raw"]
    assert [node.name for node in await client.nodes()] == ["raw"]


def test_what_this_version_says_itself_it_has_to_know() -> None:
    with pytest.raises(ValidationError, match="later"):
        Node.model_validate({"name": "raw", "instance": "1", "later": 1})


async def test_answers_that_come_twice_late_or_to_nobody_change_nothing(
    raw: RawNode, client: AsyncClient
) -> None:
    late = asyncio.create_task(client.execute("raw.f"))
    _, inbox, late_call = await raw.calls.get()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    first = asyncio.create_task(client.execute("raw.f", 1))
    second = asyncio.create_task(client.execute("raw.f", 2))
    reply, _, call = await raw.calls.get()
    other_reply, _, _ = await raw.calls.get()
    raw.say(inbox + late_call.id, Result(value("late")))
    raw.say(inbox + "0" * 24, Result(value("nobody's")))
    raw.say(inbox + "receipts", Result(value("no receipt")))
    raw.say(inbox + "resume-" + "0" * 24, Result(value("nobody's")))
    raw.connection.send(inbox + "x", b"\x80")
    raw.say(reply, Result(value("one")))
    raw.say(inbox + call.id, Result(value("again")))
    raw.say(inbox + call.id, Failure("remote_failure", "E", "again"))
    raw.say(other_reply, Result(value("two")))
    assert (await first, await second) == ("one", "two")


async def test_items_out_of_order_or_twice_are_put_right(raw: RawNode, client: AsyncClient) -> None:
    stream = asyncio.create_task(client.execute("raw.f"))
    reply, inbox, call = await raw.calls.get()
    raw.say(reply, Item(value(0), 0))
    for number in (0, 1, 1, 2):
        raw.say(inbox + call.id, Item(value(number), number))
    raw.say(inbox + call.id, End(3))
    raw.say(inbox + call.id, End(3))
    assert await stream == [0, 1, 2]


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b"", BadFrame),
        (b"\xc1", BadFrame),
        (value([VERSION, "result"]), BadFrame),
        (value([VERSION, "result", "text"]), BadFrame),
        (value([VERSION + 1, "result", b""]), VersionMismatch),
        (value([VERSION, "item", True, b""]), BadFrame),
        (value([VERSION, "unknown", float("nan")]), BadFrame),
        (value([VERSION, "failure", "overloaded", "E", "m", "", "", "", [], float("inf")]), BadFrame),
        (
            value([VERSION, "failure", "remote_failure", "E", "m", "", "", "", [], 0.0]),
            RemoteFailure,
        ),
    ],
)
async def test_frames_that_cannot_be_read_end_the_call_with_the_reason(
    raw: RawNode, client: AsyncClient, frame: bytes, kind: type[EasyNetError]
) -> None:
    call = asyncio.create_task(client.execute("raw.f"))
    reply, _, _ = await raw.calls.get()
    raw.connection.send(reply, frame)
    with pytest.raises(kind):
        await asyncio.wait_for(call, PATIENCE_S)


@pytest.mark.parametrize("age_s", [float("nan"), float("inf"), -1.0, True])
async def test_a_node_of_no_possible_age_loses_and_repeats_no_calls(
    raw: RawNode, client: AsyncClient, age_s: object
) -> None:
    call = asyncio.create_task(client.execute("raw.f"))
    reply, inbox, first = await raw.calls.get()
    raw.connection.send(
        inbox + raw.tokens.get_nowait(), value([VERSION, "i", versions.OWN, "", [], [first.id], age_s])
    )
    raw.say(reply, Result(value("done")))
    assert await asyncio.wait_for(call, PATIENCE_S) == "done"
    assert raw.calls.empty()


@pytest.mark.parametrize(
    ("deadline_s", "inline_bytes"),
    [
        (float("nan"), 0),
        (float("inf"), 0),
        (0.0, 0),
        (-1.0, 0),
        (True, 0),
        (None, -1),
        (None, True),
    ],
)
async def test_a_call_with_numbers_that_mean_nothing_is_refused_and_not_run(
    gateway: Gateway, own_data_dir: Path, node: ComputeNode, deadline_s: object, inline_bytes: object
) -> None:
    runs: list[int] = []
    node.register(runs.append, name="f")
    address = Address.parse(gateway.url)
    connection = Connection(address, WayIn(address, "client", own_data_dir), name="by hand")
    await connection.open()
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    await connection.listen(f"re.local.{'b' * 16}.*", lambda *message: heard.put_nowait(message[2]))
    arguments = value([[1], {}])
    for deadline, inline in ((deadline_s, inline_bytes), (None, 0)):
        call = value([VERSION, "a" * 16, "b" * 16, arguments, deadline, "", inline, "", False])
        connection.send("fn.my-node.local.call.f", call, reply=f"re.local.{'b' * 16}.{'a' * 16}")
    refused = decode_update(await asyncio.wait_for(heard.get(), PATIENCE_S))
    assert isinstance(refused, Failure)
    assert refused.code == BadFrame.code
    assert decode_update(await asyncio.wait_for(heard.get(), PATIENCE_S)) == Result(value(None))
    assert runs == [1]
    await connection.close()


async def test_a_call_of_another_protocol_is_refused_with_the_reason(
    node: ComputeNode, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "easynet.fabric.calling.outbox.encode_call", lambda call: value([VERSION + 1, call.id])
    )
    with warnings.catch_warnings(), pytest.raises(EasyNetError, match=f"version {VERSION + 1}"):
        await asyncio.wait_for(client.execute("my-node.f"), PATIENCE_S)


async def test_a_call_leaves_a_receipt_that_its_node_signed(node: ComputeNode, client: AsyncClient) -> None:
    @node.register(price=3)
    async def double(x: int) -> int:
        return 2 * x

    assert await client.execute("my-node.double", 4) == 8
    receipt = await client.receipt()
    facts = receipt.facts
    assert (facts.offer.function, facts.offer.node, facts.call.price) == ("double", "my-node", 3)
    assert (facts.call.outcome, facts.call.client) == ("ok", "local")
    with pytest.raises(RemoteFailure):
        await client.execute("my-node.double", None)
    failed = (await client.receipt()).facts.call
    assert (failed.outcome, failed.price) == ("remote_failure", 0)
    assert failed.id != facts.call.id
