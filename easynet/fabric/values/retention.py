"""How long what is in an artifact store stays there."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from easynet.fabric.values import drafts

DAY_S: Final = 24 * 3600
MAX_AGE_S: Final = 30 * DAY_S
"""Since it was last used; a run that stopped halfway can be resumed for as long."""
_SAFE_S: Final = DAY_S
"""What was used within this time stays, however much there is: calls that wait or run may need it."""
_UNFINISHED_S: Final = DAY_S
"""Since the last part of a draft arrived."""
USED_AGAIN_S: Final = 3600
"""How exactly it is known when something was last used."""
_SHARE: Final = 0.2
"""Of the disk, for all artifacts together."""
_RESERVE: Final = 0.03
"""Of the disk, which is left to others."""


@dataclass(frozen=True)
class _Kept:
    path: Path
    size_bytes: int
    used_at: float
    is_draft: bool


def limit_bytes(folder: Path) -> int:
    """How much a store may hold for good: a share of its disk."""
    return int(shutil.disk_usage(folder).total * _SHARE)


def room_bytes(folder: Path) -> int:
    """How much more the disk takes without getting too full for others."""
    disk = shutil.disk_usage(folder)
    return disk.free - int(disk.total * _RESERVE)


def sweep(folder: Path, now: float, limit: int) -> None:
    """Remove what is too old, and what was not used for longest while all takes more than `limit` bytes.

    What another process uses at this moment stays usable there: a file that is open has only lost its name.
    """
    kept = sorted(_all_in(folder), key=lambda k: k.used_at)
    total = sum(k.size_bytes for k in kept)
    for one in kept:
        unused_s = now - one.used_at
        if one.is_draft:
            is_due = unused_s > _UNFINISHED_S or (total > limit and unused_s > USED_AGAIN_S)
            is_due = is_due and not drafts.is_in_use(one.path)
        else:
            is_due = unused_s > MAX_AGE_S or (total > limit and unused_s > _SAFE_S)
        if is_due:
            one.path.unlink(missing_ok=True)
            total -= one.size_bytes


def _all_in(folder: Path) -> Iterator[_Kept]:
    """The files of a store, each with the space it really takes: a draft has holes."""
    with os.scandir(folder) as parts:
        names = [part.path for part in parts if part.is_dir(follow_symlinks=False)]
    for name in names:
        is_draft = os.path.basename(name) == ".incoming"
        with os.scandir(name) as files:
            for file in files:
                try:
                    found = file.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                yield _Kept(Path(file.path), found.st_blocks * 512, found.st_mtime, is_draft)
