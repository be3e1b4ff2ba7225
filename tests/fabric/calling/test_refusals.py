"""What is said to a client that may not do what it tries, and to one that asks for what nobody can do."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from easynet.core.errors import AccessDenied, CallTimeout, NodeUnreachable, Overloaded
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.access.grants import Limits
from easynet.fabric.calling.explanations import not_allowed, unknown, untaken
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from tests.patience import PATIENCE_S

F = CapabilityName("f")


def test_a_member_is_sent_to_the_gateways_owner() -> None:
    denied = not_allowed("ana", "gpu.f")
    assert "easynet invite client" in denied.hint
    message, hint = denied.in_language("zh")
    assert "无权调用 gpu.f" in message
    assert "easynet invite client" in hint


def test_function_of_nodes_that_leave_is_not_its_own_nearest_name() -> None:
    error = unknown(F, [F])
    assert "Did you mean" not in error.hint
    assert "leave" in error.message


@pytest.mark.parametrize("client", ["granted-0123", "metered-0123"])
def test_the_holder_of_a_grant_is_sent_to_whoever_handed_it_on(client: str) -> None:
    denied = not_allowed(client, "gpu.f")
    assert "grant" in denied.message
    assert "gpu.f" in denied.message
    assert "easynet invite" not in denied.hint
    assert "easynet delegate --functions gpu.f" in denied.hint


def test_nodes_that_are_all_busy_are_tried_again_when_the_first_has_room() -> None:
    busy = [Overloaded("a", retry_after_s=5.0), NodeUnreachable("b"), Overloaded("c", retry_after_s=2.0)]
    error = untaken(F, busy)
    assert isinstance(error, Overloaded)
    assert error.retry_after_s == 2.0
    assert "b is gone" in untaken(F, [NodeUnreachable("a"), NodeUnreachable("b is gone")]).message


@pytest.fixture
async def lasting(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@pytest.fixture
async def owner(lasting: Gateway, own_data_dir: Path) -> AsyncIterator[Owner]:
    async with Owner(lasting.url, data_dir=own_data_dir) as owner:
        yield owner


@pytest.mark.slow
async def test_a_call_in_flight_of_a_revoked_client_ends_with_what_to_do_next(
    lasting: Gateway, owner: Owner, own_data_dir: Path, tmp_path: Path
) -> None:
    begun = asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    node = ComputeNode(lasting.url, "gpu", data_dir=own_data_dir)
    node.register(wait)
    async with node:
        await join(await owner.invite("client", "ana"), tmp_path)
        async with AsyncClient(lasting.url, data_dir=tmp_path) as client:
            call = asyncio.create_task(client.execute("gpu.wait"))
            await begun.wait()
            await owner.revoke("client", "ana")
            with pytest.raises(AccessDenied) as denied:
                await asyncio.wait_for(call, PATIENCE_S)
    assert "new invitation" in denied.value.hint
    assert "easynet join TOKEN" in denied.value.hint


@pytest.mark.slow
async def test_the_holder_of_a_narrowed_grant_learns_that_it_was_narrowed(
    lasting: Gateway, own_data_dir: Path, tmp_path: Path
) -> None:
    node = ComputeNode(lasting.url, "gpu", data_dir=own_data_dir)
    node.register(abs, name="distance")
    async with node, AsyncClient(lasting.url, data_dir=own_data_dir) as client:
        part = (await client.grant()).narrow(Limits(functions=("gpu.size",)))
        await join(part.token(), tmp_path)
        async with AsyncClient(lasting.url, data_dir=tmp_path) as holder:
            with pytest.raises(AccessDenied, match="grant") as denied:
                await asyncio.wait_for(holder.execute("gpu.distance", -1), PATIENCE_S)
    assert "narrowed" in denied.value.hint
    assert "easynet invite" not in denied.value.hint


async def updates(client: AsyncClient, timeout_s: float) -> list[object]:
    """All that is said of a call that has so much time."""
    key = secrets.token_hex(8)
    call = client.invoke(NodeId("my-node"), CapabilityName("f"), {}, key=key, timeout_s=timeout_s)
    return [update async for update in call]


@pytest.mark.slow
@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan"), float("-inf")])
async def test_a_call_that_has_no_time_is_not_made(
    node: ComputeNode, client: AsyncClient, timeout_s: float
) -> None:
    runs: list[int] = []
    node.register(lambda: runs.append(1), name="f")
    with pytest.raises(CallTimeout, match=r"my-node\.f"):
        await updates(client, timeout_s)
    assert not runs


@pytest.mark.slow
async def test_a_call_may_have_all_the_time_in_the_world(node: ComputeNode, client: AsyncClient) -> None:
    async def f() -> int:
        return 1

    node.register(f)
    assert len(await updates(client, float("inf"))) == 1
