"""The command line as a user meets it: a process of its own, with a home of its own."""

import subprocess
import sys
from collections.abc import Callable

from easynet.core.events import RUN_EVENT, RunEvent

Cli = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = (sys.executable, "-m", "easynet")


def events_of(stdout: str) -> list[RunEvent]:
    """The events that `--json` printed; anything else on stdout is an error."""
    return [RUN_EVENT.validate_json(line) for line in stdout.splitlines()]
