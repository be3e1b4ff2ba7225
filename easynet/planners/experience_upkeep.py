"""The fitted model between processes: whether it is too old, and the process that makes a new one.

NumPy and SciPy are imported where there is a model to read or to fit, and not before.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import ZipFile

from easynet.core.capability import Capability, Value
from easynet.core.ids import CapabilityName, RunId
from easynet.settings import inherited_environment

if TYPE_CHECKING:
    from easynet.planners.experience_model import Model

FEWEST = 5
"""From fewer lessons nothing is generalised; a request that went well before may still be repeated."""
HEADER = "header.json"
_NEW_SHARE = 0.05
"""The model is fitted anew when so many runs have come or gone, as a share of its lessons."""
_FITTING = (sys.executable, "-m", "easynet.planners.experience_fitting")
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}

Links = frozenset[tuple[CapabilityName, CapabilityName]]


class Offered(Value):
    """What a model is fitted beside."""

    catalogue: tuple[Capability, ...]
    links: Links = frozenset()


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model, and what it was fitted on."""

    runs: tuple[RunId, ...]
    """In the order in which the model knows them."""
    version: int
    """Of the store, before the runs were read from it."""
    model: "Model"

    def is_outdated(self, lessons: Collection[RunId]) -> bool:
        """Whether so many other runs are to be learned from now that it should be fitted anew."""
        return is_outdated(self.runs, lessons)


class ModelFile:
    """The model beside a file of past runs. Two processes may use it at once."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self.path = model_path(store)
        self._loaded: tuple[object, Fitted | None] = (None, None)
        self._fitting: subprocess.Popen[bytes] | None = None

    def load(self) -> Fitted | None:
        """The model, where there is one that can be read."""
        try:
            at = os.stat(self.path)
        except OSError:
            return None
        seen = (at.st_mtime_ns, at.st_size, at.st_ino)
        if self._loaded[0] != seen:
            from easynet.planners.experience_file import load  # NumPy and SciPy take 300 ms to import

            self._loaded = (seen, load(self.path))
        return self._loaded[1]

    def may_be_outdated(self, version: int) -> bool:
        """Whether so much has changed in a store of this version; told without reading its runs."""
        header = header_of(self.path)
        if header is None:
            return version >= FEWEST
        return not 0 <= version - header["version"] <= _NEW_SHARE * len(header["runs"])

    def renew(self, offered: Offered) -> subprocess.Popen[bytes] | None:
        """Start to fit a new model, in a process of the lowest priority that may outlive this one.

        The same as `git gc --auto` does, and for the same reason: nobody should have to wait for it. Nothing
        is started where this process has started one that is still at work, or SciPy is missing.
        """
        if (self._fitting is not None and self._fitting.poll() is None) or find_spec("scipy") is None:
            return None
        with tempfile.TemporaryFile() as request:
            request.write(offered.model_dump_json().encode())
            request.seek(0)
            self._fitting = subprocess.Popen(
                [*_FITTING, str(self._store)],
                stdin=request,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**inherited_environment(), **_ONE_THREAD},
                start_new_session=True,
            )
        # Somebody has to take note of its end, or it stays in the list of processes.
        threading.Thread(target=self._fitting.wait, name="fitting of plans", daemon=True).start()
        return self._fitting


def model_path(store: Path) -> Path:
    """Where the model of a file of past runs is kept."""
    return store.with_name("experience-model.zip")


def header_of(path: Path) -> dict[str, Any] | None:
    """What a model was fitted on: `format` (text), `version` (a number) and `runs` (a list of ids).

    Nothing where the file is no model.
    """
    try:
        with ZipFile(path) as archive:
            header = json.loads(archive.read(HEADER))
    except Exception:
        # A foreign or damaged file makes `zipfile` and `json` raise nearly anything: RuntimeError for a bit
        # that says "encrypted", zlib.error, MemoryError, RecursionError. Planning goes on without it.
        return None
    return cast(dict[str, Any], header) if _is_header(header) else None


def _is_header(found: Any) -> bool:
    """Whether a header says what it should, in the types that it should."""
    if not isinstance(found, dict):
        return False
    header = cast(dict[str, Any], found)
    runs = header.get("runs")
    return (
        isinstance(header.get("format"), str)
        and type(header.get("version")) is int
        and isinstance(runs, list)
        and all(isinstance(run, str) for run in runs)
    )


def is_outdated(fitted: Collection[RunId], lessons: Collection[RunId]) -> bool:
    """Whether a model of some runs should be fitted anew, now that these are the lessons."""
    return len({*fitted} ^ {*lessons}) > _NEW_SHARE * len(fitted)
