"""The files among a call's arguments, as the function gets them."""

from pathlib import Path
from typing import Any

from easynet.core.artifact import Artifact
from easynet.fabric.functions.scratch import ScratchFolders
from easynet.fabric.values.artifacts import ArtifactStore


class CallFiles:
    """Copies of files, each under its own name, in a folder of the call's own.

    Copies, because a function may write to them, and the store's files never change.
    """

    def __init__(self, store: ArtifactStore, folders: ScratchFolders) -> None:
        self._store = store
        self._folders = folders
        self._folder: Path | None = None
        self._count = 0

    def in_place_of(self, value: Any) -> Any:
        """The same value with paths where it refers to files."""
        match value:
            case Artifact():
                return self._materialised(value)
            case list():
                return [self.in_place_of(item) for item in value]
            case dict():
                return {key: self.in_place_of(item) for key, item in value.items()}
            case _:
                return value

    def remove(self) -> None:
        """Give up the copies."""
        if self._folder is not None:
            self._folders.take_back(self._folder)

    def _materialised(self, artifact: Artifact) -> Path:
        if self._folder is None:
            self._folder = self._folders.lend()
        self._count += 1
        place = self._folder / str(self._count)
        place.mkdir(mode=0o700)
        path = place / (Path(artifact.filename).name or "file")
        self._store.copy(artifact, path)
        return path
