"""Files that are for this user alone."""

import os
import secrets
from pathlib import Path

from easynet.core.errors import SettingsError


def write_private(file: Path, data: bytes) -> None:
    """Put the data in place of a file, readable by this user alone, whoever could read the old one.

    A device or a pipe is written to. Raises SettingsError, and leaves the old file then.
    """
    try:
        _write(file, data)
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror or error}") from error


def _write(file: Path, data: bytes) -> None:
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    target = file.resolve()  # a link keeps pointing where it does
    draft = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as unfinished:
            unfinished.write(data)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
