"""What a node remembers of calls that are over."""

from easynet.fabric.serving.finished_calls import FinishedCall, FinishedCalls


def call(id_: str, *, key: str = "", client: str = "c", at: float = 0.0, size: int = 1) -> FinishedCall:
    return FinishedCall(id_, client, "f", key, at, b"x" * size)


def test_a_call_is_found_by_its_key_and_by_its_id_and_by_nobody_else() -> None:
    calls = FinishedCalls()
    calls.add(call("1", key="k"))
    calls.add(call("2"))
    assert calls.find("c", "f", "k") == call("1", key="k")
    assert calls.find("c", "f", "2") == call("2")
    assert calls.by_id("c", "1") is not None
    assert calls.find("other", "f", "k") is None
    assert calls.find("c", "g", "k") is None
    assert calls.by_id("other", "2") is None


def test_old_calls_are_forgotten() -> None:
    calls = FinishedCalls(kept_s=10)
    calls.add(call("1", key="k", at=0))
    calls.add(call("2", at=6))
    calls.forget(11)
    assert calls.find("c", "f", "k") is None
    assert calls.by_id("c", "1") is None
    assert calls.by_id("c", "2") is not None


def test_number_and_size_are_bounded_and_the_oldest_go_first() -> None:
    calls = FinishedCalls(max_calls=3)
    for i in range(5):
        calls.add(call(str(i)))
    assert [calls.by_id("c", str(i)) is not None for i in range(5)] == [False, False, True, True, True]
    calls = FinishedCalls(max_bytes=100)
    calls.add(call("a", size=60))
    calls.add(FinishedCall("b", "c", "f", "", 0.0, b"x" * 10, (b"y" * 50,), 0))
    assert calls.by_id("c", "a") is None
    assert calls.by_id("c", "b") is not None


def test_a_later_call_of_the_same_key_outlives_the_earlier() -> None:
    calls = FinishedCalls(kept_s=10)
    calls.add(call("1", key="k", at=0))
    calls.add(call("2", key="k", at=8))
    calls.forget(11)
    found = calls.find("c", "f", "k")
    assert found is not None
    assert found.id == "2"
