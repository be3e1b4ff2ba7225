"""The end of a node's connection, and of one that it has replaced."""

import json

import pytest

from easynet.fabric.access import claims
from easynet.fabric.access.identity import Identity
from easynet.fabric.gateway.node_connections import NodeConnections

KEY = Identity.generate()


def event(server: str, id_: int, name: str = "node.gpu.abc", member: str = "gpu") -> bytes:
    jwt = claims.mint(KEY, KEY.public, member, "user", {})
    return json.dumps({"server": {"id": server}, "client": {"id": id_, "name": name, "jwt": jwt}}).encode()


def test_connection_in_anothers_name_is_nobodys() -> None:
    connections = NodeConnections()
    connections.came(event("A", 1))
    connections.came(event("A", 2, member="evil"))
    assert connections.went(event("A", 2, member="evil")) is None
    assert connections.went(event("A", 1, member="local")) == ("gpu", "abc")


def test_node_has_left_when_its_connection_ends() -> None:
    connections = NodeConnections()
    connections.came(event("A", 1))
    assert connections.went(event("A", 1)) == ("gpu", "abc")


def test_node_that_came_back_elsewhere_has_not_left() -> None:
    connections = NodeConnections()
    connections.came(event("A", 7))
    connections.came(event("B", 7))
    assert connections.went(event("A", 7)) is None
    assert connections.went(event("B", 7)) == ("gpu", "abc")


def test_end_of_a_connection_that_came_before_the_gateway_counts() -> None:
    assert NodeConnections().went(event("A", 1)) == ("gpu", "abc")


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", event("A", 1, "client.x"), event("A", 1, "node.x")])
def test_other_events_are_of_no_interest(data: bytes) -> None:
    connections = NodeConnections()
    connections.came(data)
    assert connections.went(data) is None
