"""What a name of a function means, and where files that come back are saved."""

from pathlib import Path

import pytest

from easynet.cli.function_call import check_somebody_stays, new_file, wanted
from easynet.core.errors import (
    DataDirectoryUnusable,
    EasyNetError,
    NodeRefused,
    NodeUnreachable,
    UnknownFunction,
)
from easynet.core.ids import NodeId
from easynet.core.offer import Node
from easynet.core.signature import capability_of


def add(a: int, b: int) -> int:
    return a + b


NODES = [
    Node(name=NodeId("gpu-node"), instance="1", capabilities=(capability_of(add),)),
    Node(name=NodeId("idle"), instance="2"),
]


@pytest.mark.parametrize("name", ["add", "gpu-node.add"])
def test_function_is_found_on_any_node_or_on_the_one_that_is_named(name: str) -> None:
    assert wanted(name, NODES).name == "add"


@pytest.mark.parametrize(
    ("name", "error", "said", "hint"),
    [
        ("ad", UnknownFunction, "no node offers a function named 'ad'", "'add'"),
        ("idle.add", UnknownFunction, "idle offers no function named 'add'", "easynet functions"),
        ("gpu-nod.add", NodeUnreachable, "no node named 'gpu-nod'", "'gpu-node'"),
    ],
)
def test_name_that_is_not_there_is_told_with_the_nearest(
    name: str, error: type[EasyNetError], said: str, hint: str
) -> None:
    with pytest.raises(error) as caught:
        wanted(name, NODES)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    (tmp_path / "report-1.html").symlink_to(tmp_path / "elsewhere")
    assert new_file(tmp_path, "report.html").name == "report-2.html"
    assert (tmp_path / "report.html").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    ("name", "kept"), [(".bashrc", "bashrc"), ("-rf", "rf"), ("..", "file"), ("", "file")]
)
def test_file_has_a_name_that_does_nothing_by_itself(name: str, kept: str, tmp_path: Path) -> None:
    assert new_file(tmp_path, name).name == kept


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataDirectoryUnusable, match="nowhere"):
        new_file(tmp_path / "nowhere", "a.csv")


def test_node_that_leaves_takes_nothing_new() -> None:
    leaving = [node.model_copy(update={"draining": True}) for node in NODES]
    with pytest.raises(NodeRefused, match="is leaving") as refused:
        check_somebody_stays("add", leaving)
    assert "--detach" in refused.value.hint
    check_somebody_stays("add", NODES)
    check_somebody_stays("add", [*NODES, *leaving])
