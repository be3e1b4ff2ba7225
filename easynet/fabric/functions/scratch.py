"""Empty folders for calls."""

import os
import shutil
import tempfile
from pathlib import Path

from easynet.core.errors import DataDirectoryUnusable
from easynet.fabric.access.process import is_alive


class ScratchFolders:
    """Folders of one process, each lent to one call at a time and always empty when it is.

    A folder that came back empty is lent again: most calls use none, and making and removing one costs
    more than all the rest of a small call.
    """

    def __init__(self, parent: Path) -> None:
        try:
            parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sweep(parent)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=parent))
        except OSError as error:
            raise DataDirectoryUnusable.at(parent, error) from error
        self._free: list[Path] = []
        self._count = 0

    def lend(self) -> Path:
        """An empty folder."""
        if self._free:
            return self._free.pop()
        self._count += 1
        folder = self._folder / str(self._count)
        folder.mkdir(mode=0o700)
        return folder

    def take_back(self, folder: Path) -> None:
        """Keep the folder for another call if it is empty, and remove it otherwise."""
        try:
            is_empty = not os.listdir(folder)
        except OSError:  # the function removed it
            return
        if is_empty:
            self._free.append(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Remove them all."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _sweep(parent: Path) -> None:
    """Remove the folders of processes that were killed."""
    for folder in parent.iterdir():
        pid = folder.name.split("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
