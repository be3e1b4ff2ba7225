"""What nodes have to do, as all runs of a process see it."""

import pytest

from easynet.core.ids import NodeId
from easynet.execution.load import Load, Share

N, M = NodeId("n"), NodeId("m")


def busy(*expected_s: float) -> Load:
    load = Load()
    for seconds in expected_s:
        load.add(Share(N, 100.0, seconds))
    return load


def test_a_node_with_a_free_slot_is_not_waited_for() -> None:
    assert busy(5.0).wait_s(N, 2, 100.0) == 0.0
    assert busy().wait_s(N, 1, 100.0) == 0.0


def test_the_wait_is_what_is_left_by_slot_and_what_is_late_is_late_as_long_again() -> None:
    assert busy(5.0).wait_s(N, 1, 102.0) == 3.0
    assert busy(5.0, 3.0).wait_s(N, 2, 100.0) == 4.0
    assert busy(5.0).wait_s(N, 1, 112.0) == 7.0


def test_others_that_wait_for_a_busy_node_are_waited_for_too() -> None:
    load, one, other = busy(5.0), object(), object()
    load.claim(one, {N: 2.0})
    load.claim(other, {N: 1.0, M: 4.0})
    assert load.wait_s(N, 1, 100.0) == 8.0
    assert load.wait_s(M, 1, 100.0) == 0.0  # it is free
    load.claim(one, {N: 0.5})
    assert load.wait_s(N, 1, 100.0) == pytest.approx(6.5)
    load.claim(one, {})
    load.claim(other, {})
    assert load.wait_s(N, 1, 100.0) == 5.0


def test_whoever_waits_hears_of_a_free_slot() -> None:
    load, heard = busy(5.0), list[str]()
    with load.heard_by(lambda: heard.append("free")):
        load.remove(Share(N, 100.0, 5.0))
    assert heard == ["free"]
    assert load.running(N) == 0
