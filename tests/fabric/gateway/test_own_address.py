"""The address by which other machines reach this one."""

import ipaddress
import socket
from typing import Any

import pytest

from easynet.core.errors import SettingsError
from easynet.fabric.gateway.own_address import is_any_host, own_address


class Probe:
    """A socket that would go out by a certain address."""

    def __init__(self, own: str) -> None:
        self._own = own

    def connect(self, address: Any) -> None:
        assert ipaddress.ip_address(address[0]) in ipaddress.ip_network("203.0.113.0/24"), (
            "kept for documents"
        )
        if not self._own:
            raise OSError("Network is unreachable")

    def getsockname(self) -> tuple[str, int]:
        return self._own, 40_000

    def __enter__(self) -> "Probe":
        return self

    def __exit__(self, *_: object) -> None: ...


def test_all_of_a_machines_addresses_are_no_address_to_go_to() -> None:
    assert [is_any_host(host) for host in ("0.0.0.0", "::", "127.0.0.1", "lab")] == [True, True, False, False]


def test_address_is_the_one_of_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: Probe("10.1.2.3"))
    assert own_address("0.0.0.0") == "10.1.2.3"


@pytest.mark.parametrize("own", ["", "127.0.0.1"])
def test_without_a_way_out_it_has_to_be_said(own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: Probe(own))
    with pytest.raises(SettingsError) as caught:
        own_address("0.0.0.0")
    assert "--advertise" in caught.value.hint
