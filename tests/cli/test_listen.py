"""Where a gateway is told to listen."""

import pytest

from easynet.cli.listen import listen_address
from easynet.core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:4222", ("127.0.0.1", 4222)),
        ("0.0.0.0", ("0.0.0.0", 4222)),
        (":4300", ("0.0.0.0", 4300)),
        ("lab-server.local:0", ("lab-server.local", 0)),
        ("[::]:4222", ("::", 4222)),
        ("[::1]", ("::1", 4222)),
        ("nats://10.1.2.3:4222", ("10.1.2.3", 4222)),
    ],
)
def test_address_is_read_with_the_usual_port_where_none_is_given(
    text: str, expected: tuple[str, int]
) -> None:
    assert listen_address(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":", "4222:host", "host:port", "host:99999", "a b:1", "user:pw@host:4222", "::1"]
)
def test_what_is_no_address_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        listen_address(text)
    assert "0.0.0.0:4222" in caught.value.hint
