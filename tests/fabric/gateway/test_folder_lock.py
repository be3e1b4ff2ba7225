"""A folder that one process at a time works in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from easynet.core.errors import DataDirectoryUnusable
from easynet.fabric.gateway import folder_lock
from easynet.fabric.gateway.folder_lock import FolderBusy

HOLDER = """
import sys, pathlib
from easynet.fabric.gateway.folder_lock import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    new = tmp_path / "new"
    with folder_lock.hold(new), pytest.raises(FolderBusy) as caught, folder_lock.hold(new):
        pass
    assert caught.value.pid == os.getpid()
    with folder_lock.hold(new):
        pass


def test_process_that_dies_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(FolderBusy) as caught, folder_lock.hold(tmp_path):
            pass
        assert caught.value.pid == holder.pid
        holder.kill()
    with folder_lock.hold(tmp_path):
        pass


def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataDirectoryUnusable, match="file"), folder_lock.hold(tmp_path / "file"):
        pass
