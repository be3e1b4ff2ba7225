"""The standard streams: what they cannot take is an error in a sentence, or not worth one."""

import os
import sys
from io import TextIOWrapper

from easynet.core.errors import SettingsError


def prepare() -> None:
    """Make the standard streams safe to use: all are open, and no character is too much for them.

    A closed one would lend its number to the next file that is opened, and that file would be written to.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nothing = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nothing, True)
            mode = "w" if number else "r"
            setattr(sys, name, open(nothing, mode, closefd=False))  # noqa: SIM115  # for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def write(text: str) -> None:
    """Write lines to standard output at once; raises SettingsError where they do not fit there.

    A BrokenPipeError is left to the caller: nobody reads on, which is no mistake.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        raise SettingsError(
            f"cannot write to standard output: {error.strerror or error}",
            hint="The run itself is in the journal: `easynet runs` lists it.",
        ) from error


def write_json(line: bytes) -> None:
    """The same for a line of JSON, which is UTF-8 whatever the terminal speaks."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    write(line.decode())


def discard_output() -> None:
    """Send the rest of standard output nowhere, so that the interpreter does not fail on it at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
