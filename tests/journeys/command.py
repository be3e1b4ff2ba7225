"""The command line as a user meets it: a process of its own, with a home of its own."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

from easynet.core.events import RUN_EVENT, RunEvent

Cli = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = (sys.executable, "-m", "easynet")


def events_of(stdout: str) -> list[RunEvent]:
    """The events that `--json` printed; anything else on stdout is an error."""
    return [RUN_EVENT.validate_json(line) for line in stdout.splitlines()]


async def cli_async(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `easynet` while this process goes on serving."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    stdout, stderr = await process.communicate()
    assert process.returncode is not None
    return subprocess.CompletedProcess(arguments, process.returncode, stdout.decode(), stderr.decode())
