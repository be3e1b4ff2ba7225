"""Recordings that may lie in a repository: small, and silent about the machine that made them."""

import getpass
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from easynet.core.errors import UsageError
from easynet.execution.recording import Recording

MOST_BYTES = 60_000
"""Of one recording, so that all of them stay small."""
_SHORTEST = 3
"""A shorter name of a machine is found in other words."""


def portable(recording: Recording, folders: Sequence[Path] = ()) -> bytes:
    """The content of a recording's file, without these folders, so that files in them have relative names.

    Raises UsageError where more of this machine shows in it, or it is too large.
    """
    text = b"".join(line + b"\n" for line in recording.lines()).decode()
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(str(folder), "")
    for what, word in _telltales():
        if word in text:
            raise UsageError(
                f"{what} is in run {recording.run_id}", hint="Leave out --plain, so that values are hidden."
            )
    size = len(text.encode())
    if size > MOST_BYTES:
        raise UsageError(
            f"run {recording.run_id} takes {size:,} bytes, and a case at most {MOST_BYTES:,}",
            hint="Record one with a smaller plan, or with smaller inputs.",
        )
    return text.encode()


def _telltales() -> Iterator[tuple[str, str]]:
    """What tells of this machine, and what that is."""
    yield "the home directory", f"{Path.home()}/"
    yield "the directory for temporary files", f"{tempfile.gettempdir()}/"
    yield "the present directory", f"{os.getcwd().rstrip('/')}/"
    yield "the user's name", f"/{getpass.getuser()}/"
    if len(host := socket.gethostname()) >= _SHORTEST:
        yield "the machine's name", host
