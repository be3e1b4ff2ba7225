"""What clients and nodes say of themselves."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadFrame
from easynet.fabric.wire.frames import VERSION
from easynet.fabric.wire.greetings import Hello, Ping, decode_hello, decode_ping, encode_hello, encode_ping

tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=16, max_size=64)
texts = st.lists(st.text(), max_size=3).map(lambda found: tuple(found))
ages = st.floats(0, allow_infinity=False)


@given(st.builds(Ping, tokens, st.text(), texts))
def test_a_clients_ping_comes_back_equal(ping: Ping) -> None:
    assert decode_ping(encode_ping(ping)) == ping


@given(st.builds(Hello, st.text(), st.text(), st.text(), texts, texts, ages))
def test_a_nodes_hello_comes_back_equal(hello: Hello) -> None:
    assert decode_hello(encode_hello(hello)) == hello


@pytest.mark.parametrize("age_s", [-1, -0.5, float("nan"), float("inf"), True, None, "1"])
def test_an_age_that_nothing_has_is_refused(age_s: object) -> None:
    with pytest.raises(BadFrame):
        decode_hello(bytes(msgpack.packb([VERSION, "i", "1.0", "", [], [], age_s]) or b""))
