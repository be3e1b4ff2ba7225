"""Orders and events of jobs as bytes."""

import contextlib

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame
from easynet.core.ids import JobId, NodeId
from easynet.fabric.jobs.job_events import (
    Ended,
    JobEvent,
    Order,
    Placement,
    Postponed,
    Resumed,
    Signed,
    Started,
    Submitted,
)
from easynet.fabric.jobs.job_frames import decode_event, decode_order, encode_event, encode_order
from easynet.fabric.wire.updates import End, Failure, Item, Progress, Result

FAILURE = Failure("remote_failure", "ValueError", "no", "line 1", "hint", "name", ("a", "b"))
EVENTS: list[JobEvent] = [
    Submitted("ana", "UKEY", "train", "digest", 100),
    Started(2, Placement(NodeId("gpu"), "i", False), "$JS.ACK.x"),
    Postponed(1, 2.5, FAILURE, is_counted=False),
    Resumed("$JS.ACK.y", 7),
    Progress(0.5, "half", 3),
    Progress(None, ""),
    Item(b"x"),
    Ended(Result(b"y"), 7),
    Ended(End()),
    Ended(FAILURE),
    Ended(None),
    Signed("{}"),
]


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_event_comes_back_as_it_was(event: JobEvent) -> None:
    assert decode_event(encode_event(event, 12.5)) == (12.5, event)


@pytest.mark.parametrize("timeout_s", [None, 3.0])
def test_order_comes_back_as_it_was(timeout_s: float | None) -> None:
    order = Order(JobId("j"), "ana", "UKEY", "gpu.train", b"\x90", 12.5, timeout_s)
    assert decode_order(encode_order(order)) == order


plain = st.none() | st.integers(-1000, 1000) | st.text() | st.binary()


@given(st.binary() | st.recursive(plain, st.lists).map(msgpack.packb))
def test_bytes_that_are_neither_are_refused(data: bytes) -> None:
    for decode in (decode_order, decode_event):
        with pytest.raises(BadFrame):
            decode(data)


@given(st.data())
def test_event_that_was_damaged_is_refused_or_another_event(data: st.DataObject) -> None:
    raw = bytearray(encode_event(data.draw(st.sampled_from(EVENTS)), 12.5))
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(BadFrame):
        decode_event(bytes(raw))
