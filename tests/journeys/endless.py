"""Functions without an end, for journeys. Each leaves files in a folder: that it has begun, how it ended."""

import os
import time
from pathlib import Path

from easynet import check_cancelled
from easynet.core.call import Cancelled


def wait_kindly(notes: str) -> str:
    """Wait until there is a file `gate`, and stop when asked to."""
    folder = Path(notes)
    (folder / "begun").touch()
    try:
        while not (folder / "gate").exists():
            check_cancelled()
            time.sleep(0.01)
    except Cancelled:
        (folder / "stopped").touch()
        raise
    return "through the gate"


def loop_for_ever(notes: str) -> str:
    """Loop until there is a file `gate`, whatever anybody asks."""
    folder = Path(notes)
    (folder / "begun").write_text(str(os.getpid()))
    while not (folder / "gate").exists():
        pass
    return "through the gate"
