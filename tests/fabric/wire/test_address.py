"""How a gateway's address is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import UsageError
from easynet.fabric.wire.address import Address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("nats://127.0.0.1:4222", "nats://127.0.0.1:4222"),
        ("  localhost:80 ", "nats://localhost:80"),
        ("[::1]:4222", "nats://[::1]:4222"),
        ("nats://[::1]:4222/", "nats://[::1]:4222"),
        ("Gate.Example.org:1", "nats://gate.example.org:1"),
    ],
)
def test_an_address_is_read_as_people_write_it(text: str, expected: str) -> None:
    assert str(Address.parse(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "host",
        ":4222",
        "host:",
        "host:0",
        "host:65536",
        "host:-1",
        "http://host:80",
        "::1:4222",
        "[zz]:4222",
        "[1.2.3.4]:4222",
        "a b:4222",
        "host:4222/path",
        "tls://host:4222",
        "host:١٢",
    ],
)
def test_what_is_not_an_address_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(text)
    assert "127.0.0.1:4222" in caught.value.hint


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse("nats://me:hunter2@127.0.0.1:4222")
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except UsageError:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(("host", "local"), [("127.0.0.1", True), ("127.9.9.9", True), ("localhost", True)])
def test_loopback_is_recognised(host: str, local: bool) -> None:
    assert Address(host, 1).is_loopback is local


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "example.org", "::"])
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not Address(host, 1).is_loopback
