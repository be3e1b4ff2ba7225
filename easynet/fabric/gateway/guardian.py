"""Keeps a server alive exactly as long as the process that asked for it.

Run as `python -I -S guardian.py FOLDER PROGRAM ARGUMENT...`, with a pipe on standard input that the asking
process holds open. When that pipe ends, by a clean stop or because the process is gone, the program is
killed and FOLDER removed. Where the system can (Linux), the program also dies with the guardian itself.

Imports few modules, because the server's start waits for it: `subprocess` and `shutil` would take as long
as the rest of the start.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def _become(command: list[str], guardian: int) -> None:
    """Turn this process, just forked, into the program."""
    try:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guardian:  # it died before the kernel was asked
                return
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        os.execv(command[0], command)
    finally:
        os._exit(127)


def _kill_at_end_of_input(program: int, ended: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    ended.set()
    with contextlib.suppress(ProcessLookupError):
        os.kill(program, signal.SIGKILL)


def _remove(folder: str) -> None:
    """Remove a folder of files; what is gone already is no matter."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)


def main(folder: str, command: list[str]) -> None:
    """Run the program until it ends by itself or nobody holds the pipe."""
    guardian = os.getpid()
    program = os.fork()
    if program == 0:
        _become(command, guardian)
    ended = threading.Event()
    threading.Thread(target=_kill_at_end_of_input, args=(program, ended), daemon=True).start()
    os.waitpid(program, 0)
    # Where the program ended by itself, the asking process still wants to read why.
    if ended.is_set():
        _remove(folder)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
