"""Members of a network that attack it: each attempt against the real server, with a real membership."""

import asyncio
import base64
import pickle
import random
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgpack
import pytest
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from easynet.core.errors import BadData, EasyNetError, NodeUnreachable
from easynet.fabric.access.certificates import certificates_in
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.calls import Call, encode_call
from easynet.fabric.wire.updates import Result, encode_update
from tests.patience import PATIENCE_S, Stopwatch

pytestmark = pytest.mark.slow


class Attacker:
    """Somebody with a membership who speaks to the server without EasyNet's manners."""

    def __init__(self, membership: Membership) -> None:
        self.membership = membership
        self.name = "attacker"
        self.raw = NatsClient()
        self.refused: list[str] = []
        self.heard: list[Msg] = []

    async def __aenter__(self) -> "Attacker":
        key = Identity.from_seed(self.membership.seed)
        await self.raw.connect(
            self.membership.gateways[0],
            user_jwt_cb=lambda: bytearray(self.membership.jwt.encode()),
            signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
            inbox_prefix=f"_INBOX.{self.membership.name}",
            name=self.name,
            error_cb=self._note,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.raw.close()

    async def _note(self, error: Exception) -> None:
        self.refused.append(str(error).lower())
        if "authorization" in self.refused[-1]:
            raise error

    async def listen(self, subject: str) -> None:
        async def hear(message: Msg) -> None:
            self.heard.append(message)

        await self.raw.subscribe(subject, cb=hear)

    async def settle(self) -> None:
        """Wait until the server has judged everything that was sent."""
        await self.raw.flush()
        await self.raw.flush()


class World:
    """A gateway with an honest node and client, and with members that are not."""

    def __init__(self, gateway: Gateway, folder: Path) -> None:
        self.gateway = gateway
        self.folder = folder

    async def member(self, kind: str, name: str, functions: tuple[str, ...] = ()) -> Membership:
        async with Owner(self.gateway.url) as owner:
            token = await owner.invite("node" if kind == "node" else "client", name, functions=functions)
        return await join(token, self.folder / name)

    def client(self, name: str) -> AsyncClient:
        return AsyncClient(self.gateway.url, data_dir=self.folder / name)


@pytest.fixture
async def world(own_data_dir: Path, tmp_path: Path) -> AsyncIterator[World]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        world = World(gateway, tmp_path)
        await world.member("client", "ana")
        node = ComputeNode(gateway.url, "honest")
        node.register(len, name="size")
        await node.start()
        yield world
        await node.stop()


async def works(world: World) -> None:
    """The honest go on as if nothing had happened."""
    async with world.client("ana") as client:
        assert await client.execute("honest.size", "abc") == 3


async def test_an_evil_node_hears_and_says_nothing_that_is_not_its_own(world: World) -> None:
    async with Attacker(await world.member("node", "evil")) as evil:
        for subject in ("fn.honest.>", "fn.>", "_R_.>", "_INBOX.>", "re.>", "net.>", ">"):
            await evil.listen(subject)
        for subject in (
            "node.beat.honest",
            "node.leave.honest",
            "_INBOX.ana.x",
            "fn.honest.ana.call.size",
            "net.gone.honest",
            "reg.nodes.ana",
            "adm.members",
            "enrol.x.redeem",
            "$SYS.REQ.SERVER.PING",
            "$JS.API.INFO",
        ):
            await evil.raw.publish(subject, b"\xc0")
        await works(world)
        await evil.settle()
        assert len([text for text in evil.refused if "permissions violation" in text]) == 17
        assert evil.heard == []


async def test_an_evil_client_hears_and_says_nothing_that_is_not_its_own(world: World) -> None:
    async with Attacker(await world.member("client", "evil", ("size",))) as evil:
        for subject in ("re.>", "re.ana.>", "_INBOX.ana.>", "_INBOX.>", "fn.>", "reg.>", ">"):
            await evil.listen(subject)
        for subject in (
            "fn.honest.ana.call.size",
            "fn.honest.ana.cancel.x",
            "fn.honest.local.call.size",
            "fn.honest.evil.call.other",
            "re.ana.x.y",
            "node.leave.honest",
            "node.charge.honest",
            "reg.grant.ana",
            "job.list.ana",
            "adm.revoke",
        ):
            await evil.raw.publish(subject, b"\xc0")
        await works(world)
        await evil.settle()
        assert len([text for text in evil.refused if "permissions violation" in text]) == 17
        assert evil.heard == []


@pytest.mark.parametrize(
    "reply", ["adm.members", "node.leave.honest", "fn.honest.local.call.size", "re.ana.x.y", "$SYS.REQ.X"]
)
async def test_nobody_makes_a_node_say_what_the_caller_may_not(world: World, reply: str) -> None:
    """The reply subject of a call is the caller's choice; the node's answer must not arrive anywhere else."""
    async with Attacker(await world.member("client", "evil")) as evil:
        content = encode_call(Call("x" * 16, "y" * 16, msgpack.packb([["abc"], {}])))
        await evil.raw.publish("fn.honest.evil.call.size", content, reply=reply)
        await evil.settle()
        await works(world)
    async with AsyncClient(world.gateway.url) as own:
        assert [node.name for node in await own.nodes()] == ["honest"]


@pytest.mark.parametrize("way", ["as the reply to a call", "as the name of a connection"])
async def test_nobody_makes_clients_believe_that_a_node_is_gone(world: World, way: str) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> str:
        began.set()
        await go_on.wait()
        return "done"

    async with ComputeNode(world.gateway.url, "busy") as node, world.client("ana") as client:
        node.register(work)
        call = asyncio.create_task(client.execute("busy.work"))
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        if way == "as the reply to a call":
            async with Attacker(await world.member("client", "evil")) as evil:
                content = encode_call(Call("x" * 16, "y" * 16, msgpack.packb([["abc"], {}])))
                await evil.raw.publish("fn.honest.evil.call.size", content, reply="net.gone.busy")
                await evil.settle()
        else:
            [instance] = [n.instance for n in await client.nodes() if n.name == "busy"]
            evil = Attacker(await world.member("node", "evil"))
            evil.name = f"node.busy.{instance}"
            async with evil:
                await evil.settle()
        assert "busy" in [n.name for n in await client.nodes()]
        go_on.set()
        assert await asyncio.wait_for(call, PATIENCE_S) == "done"


async def test_an_answer_in_anothers_name_is_refused(world: World) -> None:
    """Even a node that knows the subject on which an answer is awaited cannot give it."""
    victim = await world.member("node", "victim")
    async with Attacker(victim) as listener, Attacker(await world.member("node", "evil")) as evil:
        await listener.listen("fn.victim.>")
        await listener.settle()
        async with world.client("ana") as client:
            call = asyncio.create_task(client.execute("victim.anything"))
            while not listener.heard:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await evil.raw.publish(listener.heard[0].reply, encode_update(Result(b"\xc3")))
            await evil.settle()
            assert any("_r_." in text and "permissions violation" in text for text in evil.refused)
            assert not call.done()
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)


async def test_a_membership_without_its_key_is_worth_nothing(world: World) -> None:
    stolen = await world.member("node", "victim")
    with pytest.raises(NatsError):
        await enter_and_leave(stolen.model_copy(update={"seed": Identity.generate().seed}))


async def test_rights_that_somebody_wrote_for_themselves_are_worth_nothing(world: World) -> None:
    member = await world.member("client", "evil", ("size",))
    head, body, signature = member.jwt.split(".")
    wider = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).replace(b"call.size", b"call.>")
    forged = f"{head}.{base64.urlsafe_b64encode(wider).rstrip(b'=').decode()}.{signature}"
    async with Attacker(member.model_copy(update={"jwt": forged})) as evil:  # a stranger, like anybody
        for subject in ("fn.honest.evil.call.size", "fn.honest.evil.call.other", "reg.nodes.evil"):
            await evil.raw.publish(subject, b"\xc0")
        await evil.settle()
        assert len([text for text in evil.refused if "permissions violation" in text]) == 3


async def enter_and_leave(membership: Membership) -> None:
    attacker = Attacker(membership)
    try:
        await attacker.__aenter__()
        raise AssertionError(f"{attacker.raw.connected_url} let it in")
    except NatsError:
        assert attacker.refused
        raise
    finally:
        await attacker.raw.close()


NESTED = b"\x91" * 100_000 + b"\xc0"
BOMB = b"\xdd\xff\xff\xff\xff"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\xff" * 1000,
        NESTED,
        BOMB,
        random.Random(7).randbytes(10_000),
        pickle.dumps({"function": print}),
        msgpack.packb([99, "x"]),
        encode_call(Call("x" * 16, "y" * 16, pickle.dumps([1]))),
        encode_call(Call("x" * 16, "y" * 16, NESTED)),
        encode_call(Call("x" * 16, "y" * 16, msgpack.packb([["a"] * 10**5, {}]), float("nan"))),
        b"\x00" * (7 * 1024 * 1024),
    ],
    ids=lambda data: f"{data[:8]!r} {len(data)} bytes",
)
async def test_bytes_of_any_kind_harm_nobody(world: World, data: bytes) -> None:
    async with Attacker(await world.member("client", "eve")) as evil:
        for verb in ("call.size", "cancel.x", "credit.x", "resume.x", "alive.x"):
            await evil.raw.publish(f"fn.honest.eve.{verb}", data, reply="re.eve.x.y")
        for subject in ("reg.find.eve", "reg.nodes.eve", "art.put", "art.get", "job.submit.eve"):
            await evil.raw.publish(subject, data, reply="_INBOX.eve.x")
        await evil.settle()
    async with Attacker(await world.member("node", "bad")) as evil:
        for what in ("claim", "join", "beat", "leave", "charge", "refund", "nonsense"):
            await evil.raw.publish(f"node.{what}.bad", data, reply="_INBOX.bad.x")
        await evil.settle()
    await works(world)


async def test_a_node_that_answers_nonsense_fails_its_callers_and_nobody_else(world: World) -> None:
    answers = [
        b"",
        b"\xc1",
        pickle.dumps(1),
        encode_update(Result(b"\xc1")),
        msgpack.packb([7, "end"]),
        NESTED,
    ]
    async with Attacker(await world.member("node", "liar")) as liar:

        async def lie(message: Msg) -> None:
            await message.respond(answers[0])

        await liar.raw.subscribe("fn.liar.>", cb=lie)
        await liar.settle()
        async with world.client("ana") as client:
            while answers:
                with pytest.raises(EasyNetError):
                    await asyncio.wait_for(client.execute("liar.anything"), PATIENCE_S)
                answers.pop(0)
                if not answers:
                    break
    await works(world)


async def test_a_node_that_answers_twice_late_and_to_the_wrong_call_confuses_nobody(world: World) -> None:
    async with Attacker(await world.member("node", "liar")) as liar:

        async def answer_often(message: Msg) -> None:
            good = encode_update(Result(msgpack.packb("first")))
            await message.respond(good)
            parts = message.reply.split(".")
            for subject in (f"re.ana.{'x' * 24}.{'0' * 32}", message.reply, ".".join([*parts[:-1], "9"])):
                await liar.raw.publish(subject, encode_update(Result(msgpack.packb("second"))))

        await liar.raw.subscribe("fn.liar.>", cb=answer_often)
        await liar.settle()
        async with world.client("ana") as client:
            for _ in range(20):
                assert await client.execute("liar.anything") == "first"


async def test_ten_thousand_bad_messages_a_second_do_not_stop_good_calls(world: World) -> None:
    member = await world.member("client", "eve")
    async with Attacker(member) as evil, world.client("ana") as client:

        async def flood() -> None:
            """Two seconds' worth; a slow machine takes longer."""
            for _ in range(100):
                for _ in range(200):
                    await evil.raw.publish("fn.honest.eve.call.size", b"\xc1")
                await asyncio.sleep(0.01)
            await evil.settle()

        flooding, slowest, good = asyncio.create_task(flood()), 0.0, 0
        with Stopwatch() as watch:
            while not flooding.done():
                at = watch.seconds
                assert await client.execute("honest.size", "abc") == 3
                slowest, good = max(slowest, watch.seconds - at), good + 1
        await flooding
        assert not evil.raw.is_closed
    assert slowest < 1.0
    assert good > 20


async def test_a_device_whose_clock_is_behind_trusts_the_certificate(tmp_path: Path) -> None:
    files = certificates_in(tmp_path)
    decoded: dict[str, str] = ssl._ssl._test_decode_cert(str(files.certificate))  # type: ignore[attr-defined]
    assert ssl.cert_time_to_seconds(decoded["notBefore"]) < time.time() - 23 * 3600


async def test_what_an_artifact_is_asked_for_has_to_be_known(
    world: World, until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
) -> None:
    async with world.client("ana") as client:
        made = await client.upload(Path(__file__))
        wrong = made.model_copy(update={"digest": "0" * 64})
        with pytest.raises((BadData, NodeUnreachable)):
            await client.read(wrong)
