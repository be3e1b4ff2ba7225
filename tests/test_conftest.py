"""The guard that keeps tests on this machine, tested itself."""

import socket

import pytest


@pytest.mark.parametrize("host", ["example.org", "10.0.0.1", "8.8.8.8", "2001:db8::1"])
def test_a_test_cannot_reach_another_machine(host: str) -> None:
    with pytest.raises(RuntimeError, match="tried to reach"):
        socket.getaddrinfo(host, 80)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock, pytest.raises(RuntimeError, match="tried to reach"):
        sock.connect((host, 80))


def test_a_test_can_reach_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
