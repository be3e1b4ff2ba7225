"""What a device knows of itself on a network that it has joined."""

import pytest

from easynet.fabric.access.authority import Authority
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership


@pytest.mark.parametrize("functions", [(), ("add",), ("gpu-node.my_model", "count"), ("节点.训练",)])
def test_client_knows_what_it_may_call(functions: tuple[str, ...]) -> None:
    key = Identity.generate()
    jwt = Authority.new().client_jwt(key.public, "ana", functions)
    assert Membership(kind="client", name="ana", jwt=jwt, seed=key.seed).functions == functions


def test_node_may_call_nothing_in_particular() -> None:
    key = Identity.generate()
    jwt = Authority.new().node_jwt(key.public, "gpu")
    assert Membership(kind="node", name="gpu", jwt=jwt, seed=key.seed).functions == ()


@pytest.mark.parametrize("jwt", ["", "J", "a.b.c", "e30.e30.e30", "e30.W10.e30"])
def test_rights_that_cannot_be_read_are_left_to_the_gateway(jwt: str) -> None:
    assert Membership(kind="client", name="ana", jwt=jwt, seed="S").functions == ()
