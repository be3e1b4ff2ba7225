"""Small values, packed without a look at each of their parts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import BadData
from easynet.fabric.wire.decoding import decode
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.limits import MAX_DEPTH
from easynet.fabric.wire.plain_values import decode_plain, encode_arguments, encode_plain

LIMIT = 10_000

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(st.characters())
    | st.binary()
    | st.dates()
)
values = st.recursive(scalars, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=20)


@given(values)
def test_a_value_is_packed_as_by_the_encoder_or_left_to_it(value: Any) -> None:
    packed = encode_plain(value, LIMIT)
    if packed is not None:
        assert packed == encode(value)
        assert decode_plain(packed) == (True, value)


@given(st.lists(values, max_size=4), st.dictionaries(st.text(), values, max_size=2))
def test_arguments_are_packed_as_by_the_encoder_or_left_to_it(
    args: list[Any], kwargs: dict[str, Any]
) -> None:
    packed = encode_arguments(tuple(args), kwargs, LIMIT)
    if packed is not None:
        assert packed == encode([args, kwargs])


@pytest.mark.parametrize("args", [(), (1, 2.5, None, True, "x", b"y"), (2**64 - 1,), ("x" * 5000,), ([1],)])
def test_small_arguments_are_not_left_to_the_encoder(args: tuple[Any, ...]) -> None:
    packed = encode_arguments(args, {}, LIMIT)
    assert packed is not None
    assert decode(packed) == [list(args), {}]


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, "\ud800", "x" * 20_000, (1, 2), {1, 2}, object()])
def test_what_is_not_plain_or_not_small_is_left_to_the_encoder(value: Any) -> None:
    assert encode_plain(value, LIMIT) is None
    assert encode_arguments((1, value), {}, LIMIT) is None
    assert encode_arguments((), {"a": value}, LIMIT) is None
    # Nothing of the failed attempt is left in what is packed next.
    assert encode_plain(1, LIMIT) == encode(1)


def test_what_is_nested_too_deep_is_left_to_the_encoder() -> None:
    value: Any = "x" * 100
    for _ in range(MAX_DEPTH + 1):
        value = [value]
    assert encode_plain(value, LIMIT) is None


def test_a_value_with_an_extension_is_left_to_the_decoder() -> None:
    assert decode_plain(encode([2**70])) == (False, None)
    with pytest.raises(BadData):
        decode_plain(b"\xc1")
