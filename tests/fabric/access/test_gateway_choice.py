"""Which network is meant where none is named, and where one is."""

import os
from pathlib import Path

import pytest

from easynet.core.errors import GatewayUnreachable
from easynet.fabric.access import memberships
from easynet.fabric.access.gateway_choice import choose_gateway
from easynet.fabric.access.memberships import Kind, LocalGateway, Membership
from easynet.fabric.wire.address import Address
from easynet.settings import Settings


def joined(folder: Path, kind: Kind, name: str, gateway: str, at: float) -> Membership:
    membership = Membership(
        kind=kind, name=name, jwt="j", seed="s", gateways=(f"nats://{gateway}",), joined_at=at
    )
    memberships.keep(membership, folder)
    return membership


def running(folder: Path, port: int, *, is_default: bool) -> LocalGateway:
    ways: dict[str, Membership] = {
        kind: Membership(kind=kind, name="local", jwt="j", seed="s") for kind in ("node", "client", "owner")
    }
    gateway = LocalGateway(
        server_id="S", pid=os.getpid(), host="0.0.0.0", is_default=is_default,
        node=ways["node"], client=ways["client"], owner=ways["owner"],
    )  # fmt: skip
    memberships.publish(gateway, port, folder)
    return gateway


def address(named: str | None = None, kind: Kind = "client") -> str:
    return choose_gateway(named, Settings(), kind).address


def test_without_any_network_it_is_an_embedded_one() -> None:
    assert choose_gateway(None, Settings()).address == ""
    assert choose_gateway(None, Settings()).default is None


def test_network_joined_last_is_meant(own_data_dir: Path) -> None:
    joined(own_data_dir, "client", "ana", "10.0.0.1:4222", at=2)
    joined(own_data_dir, "client", "ben", "10.0.0.2:4222", at=1)
    chosen = choose_gateway(None, Settings())
    assert chosen.address == "nats://10.0.0.1:4222"
    assert chosen.default is not None
    assert chosen.default.name == "ana"


def test_who_joined_as_a_node_has_no_network_to_call(own_data_dir: Path) -> None:
    joined(own_data_dir, "node", "gpu", "10.0.0.1:4222", at=1)
    assert address() == ""
    assert address(kind="node") == "nats://10.0.0.1:4222"
    chosen = choose_gateway(None, Settings())
    assert chosen.elsewhere is not None
    assert (chosen.elsewhere.kind, chosen.elsewhere.name) == ("node", "gpu")
    assert choose_gateway("embedded", Settings()).elsewhere is None


def test_who_joined_as_something_else_there_is_told_as_what(own_data_dir: Path) -> None:
    joined(own_data_dir, "node", "gpu", "127.0.0.1:4222", at=1)
    with pytest.raises(GatewayUnreachable, match=r"as the node 'gpu', and not as a client") as refused:
        memberships.find(Address.parse("127.0.0.1:4222"), "client", own_data_dir)
    assert "easynet invite client" in refused.value.hint


def test_gateway_of_ones_own_comes_before_one_that_was_joined(own_data_dir: Path) -> None:
    joined(own_data_dir, "client", "ana", "10.0.0.1:4222", at=1)
    running(own_data_dir, 5001, is_default=False)
    assert address() == "nats://10.0.0.1:4222", "an embedded network of another process is nobody's default"
    running(own_data_dir, 5002, is_default=True)
    assert address() == "nats://127.0.0.1:5002"


def test_what_is_named_comes_before_the_setting_and_that_before_the_default(
    own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(own_data_dir, "client", "ana", "10.0.0.1:4222", at=1)
    monkeypatch.setenv("EASYNET_GATEWAY", "10.0.0.2:4222")
    assert address() == "10.0.0.2:4222"
    assert choose_gateway(None, Settings()).source == "settings"
    assert address("10.0.0.3:4222") == "10.0.0.3:4222"
    assert choose_gateway("10.0.0.3:4222", Settings()).source == "caller"
    assert choose_gateway("10.0.0.3:4222", Settings()).default is None


@pytest.mark.parametrize("named", ["embedded", ""])
def test_embedded_network_is_to_be_had_in_spite_of_all(
    named: str, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined(own_data_dir, "client", "ana", "10.0.0.1:4222", at=1)
    monkeypatch.setenv("EASYNET_GATEWAY", "10.0.0.2:4222")
    assert address(named) == ""
    monkeypatch.setenv("EASYNET_GATEWAY", "embedded")
    assert address() == ""
