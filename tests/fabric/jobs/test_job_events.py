"""What tells jobs and their orders apart."""

from hypothesis import given
from hypothesis import strategies as st

from easynet.core.ids import JobId
from easynet.fabric.jobs.job_events import Order, job_id


@given(st.text(), st.text(), st.text(), st.text())
def test_id_tells_clients_and_keys_apart(client: str, key: str, other_client: str, other_key: str) -> None:
    same = (client, key) == (other_client, other_key)
    assert (job_id(client, key) == job_id(other_client, other_key)) is same


def test_order_for_something_else_has_another_digest() -> None:
    order = Order(JobId("j"), "ana", "UKEY", "train", b"\x90", 1.0, None)
    later = Order(JobId("j"), "ana", "UKEY", "train", b"\x90", 2.0, None)
    assert order.digest == later.digest
    for other in (
        Order(JobId("j"), "ana", "UKEY", "test", b"\x90", 1.0, None),
        Order(JobId("j"), "ana", "UKEY", "train", b"\x91", 1.0, None),
        Order(JobId("j"), "ana", "UKEY", "train", b"\x90", 1.0, 5.0),
    ):
        assert order.digest != other.digest
