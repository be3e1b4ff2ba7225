"""What the commands about a network say to people."""

import re

import pytest

from easynet.agents.wording import columns
from easynet.cli.look import announce
from easynet.cli.render_gateway import further_gateway, gateway_status, other_gateways
from easynet.cli.render_join import joined
from easynet.cli.render_node import example_call, node_started
from easynet.cli.render_table import members_table
from easynet.core.ids import NodeId
from easynet.core.offer import Node
from easynet.core.signature import capability_of
from easynet.fabric.access.gateway_choice import GatewayChoice
from easynet.fabric.access.memberships import Membership
from easynet.fabric.gateway.cluster import read_cluster
from easynet.fabric.gateway.owner import GatewayStatus, MemberInfo

WIDTH = 80
GPU = Node(name=NodeId("gpu-node"), instance="1")
MEMBERS = (
    MemberInfo("client", "ana", "U1", ("add", "gpu-node.my_model"), 1e9, 0.0),
    MemberInfo("client", "ben", "U2", (), 1e9, 2e9),
    MemberInfo("node", "gpu-node", "U3", (), 1e9, 0.0),
    MemberInfo("node", "lab", "U4", (), 1e9, 0.0),
)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    for module in ("render_table", "render_node"):
        monkeypatch.setattr(f"easynet.cli.{module}.terminal_columns", lambda: WIDTH)


def fits(text: str) -> bool:
    return all(columns(line) <= WIDTH for line in text.splitlines())


def test_members_are_told_with_what_they_may_and_whether_they_are_there() -> None:
    text = members_table(MEMBERS, [GPU])
    assert re.search(r"ana +client +2001-09-09 01:46 +joined +add, gpu-node.my_model", text)
    assert re.search(r"ben +client .* shut out +everything", text)
    assert re.search(r"gpu-node +node .* here +–", text)
    assert re.search(r"lab +node .* away +–", text)
    assert fits(text)
    assert members_table([]) == "Nobody has joined yet."


def test_gateway_is_told_with_its_nodes_and_members() -> None:
    status = GatewayStatus("1.2", 1e9, ("nats://10.0.0.1:4222",), True, "/srv/easynet", (GPU,), MEMBERS)
    text = gateway_status(status)
    assert text.startswith("Gateway at 10.0.0.1:4222, with TLS\nEasyNet 1.2, since 2001-09-09 01:46 UTC (")
    assert "/srv/easynet" in text
    assert fits(text)


@pytest.mark.parametrize(
    ("kind", "next_command"), [("node", "easynet node serve"), ("client", "easynet functions")]
)
def test_who_joined_is_told_what_to_type_next(kind: str, next_command: str) -> None:
    membership = Membership.model_validate(
        {"kind": kind, "name": "ana", "jwt": "J", "seed": "S", "gateways": ["nats://10.0.0.1:4222"]}
    )
    text = joined(membership)
    assert text.startswith(f"Joined the network at 10.0.0.1:4222 as the {kind} ana.\n")
    assert next_command in text
    assert fits(text)


def work(text: str, table: dict, n: int, *, exact: bool, more: float = 1.0) -> str:  # type: ignore[type-arg]  # as people write
    return text


def test_example_of_a_call_has_all_that_is_needed() -> None:
    assert example_call("gpu", capability_of(work)) == "easynet call gpu.work hello '{}' 3 exact=true"


def test_node_with_many_functions_shows_some() -> None:
    offered = [capability_of(work, f"function_with_a_rather_long_name_{n}") for n in range(30)]
    text = node_started("gpu", offered, "nats://10.0.0.1:4222")
    assert "The node gpu offers 30 functions at 10.0.0.1:4222." in text
    assert "and 18 more" in text
    assert all(columns(line) <= WIDTH for line in text.splitlines()[:-1])


def test_default_network_is_announced_and_one_that_was_named_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announce(GatewayChoice("10.0.0.1:4222", source="caller"))
    announce(GatewayChoice("", source="caller"))
    assert capsys.readouterr().err == ""
    mine = Membership(kind="client", name="local", jwt="J", seed="S")
    announce(GatewayChoice("nats://127.0.0.1:4222", mine))
    said = capsys.readouterr().err
    assert said == "Network: 127.0.0.1:4222, your own (without it: --gateway embedded)\n"


def test_embedded_network_is_announced_where_another_could_be_expected(
    capsys: pytest.CaptureFixture[str],
) -> None:
    announce(GatewayChoice(""))
    assert capsys.readouterr().err == "Network: embedded, on this machine alone\n"
    announce(GatewayChoice(""), tells_of_embedded=False)
    assert capsys.readouterr().err == ""
    node = Membership(kind="node", name="gpu", jwt="J", seed="S", gateways=("nats://10.0.0.1:4222",))
    announce(GatewayChoice("", elsewhere=node), tells_of_embedded=False)
    said = capsys.readouterr().err
    assert said.startswith("Network: embedded, on this machine alone\n")
    assert "joined 10.0.0.1:4222 as the node gpu" in said
    assert "easynet invite client --name NAME" in said


def test_network_that_the_settings_name_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    announce(GatewayChoice("10.0.0.1:4222", source="settings"))
    assert capsys.readouterr().err == "Network: 10.0.0.1:4222, by EASYNET_GATEWAY or easynet.toml\n"
    announce(GatewayChoice("", source="settings"), tells_of_embedded=False)
    assert capsys.readouterr().err == "Network: embedded, by EASYNET_GATEWAY or easynet.toml\n"


def commands(cluster: str, peers: str, *advertised: str) -> list[str]:
    """The commands that a gateway of a cluster shows for those that are missing."""
    place = read_cluster(cluster, peers)
    assert place is not None
    return [line.strip() for line in other_gateways(place, advertised) if "gateway start" in line]


def test_gateway_says_what_to_type_where_others_are_missing() -> None:
    first, second = commands("0.0.0.0:6222", "b:6222,c:6333", "nats://a:4222")
    assert first == (
        "easynet gateway start --network network.json --listen 0.0.0.0:4222 --advertise b"
        " --cluster 0.0.0.0:6222 --peers a:6222,c:6333"
    )
    assert "--advertise c --cluster 0.0.0.0:6333 --peers a:6222,b:6222" in second
    [left] = commands("10.0.0.2:6222", "a:6222,c:6222", "nats://10.0.0.2:4222", "nats://a:4222")
    assert "--listen c:4222 --cluster c:6222 --peers 10.0.0.2:6222,a:6222" in left
    assert commands("0.0.0.0:6222", "b:6222", "nats://a:4222", "nats://b:4222") == []


def test_gateway_that_names_no_others_is_told_to() -> None:
    place = read_cluster("0.0.0.0:6222", "")
    assert place is not None
    text = "\n".join(other_gateways(place, ["nats://a:4222"]))
    assert "--peers, for only gateways that know each other keep jobs together" in text
    assert "--advertise HOST --cluster 0.0.0.0:6222 --peers a:6222" in text


def test_command_for_a_further_gateway_names_those_that_are_known() -> None:
    command = further_gateway("my network.json", ["nats://a:4222", "nats://b:4222"])
    assert "--network 'my network.json'" in command
    assert command.endswith("--peers a:6222,b:6222")
    assert further_gateway("n.json", []).endswith("--peers HOST:6222")
