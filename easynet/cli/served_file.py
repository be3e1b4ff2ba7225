"""A file whose functions are offered."""

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from easynet.agents.wording import one_line
from easynet.core.contribution import contributed
from easynet.core.errors import BadData
from easynet.fabric.functions.isolated_target import while_loading

_FRAMES: Final = 3
"""Of the way to a mistake, its last steps are shown."""


def functions_in(path: Path) -> dict[str, Callable[..., Any]]:
    """The functions that a file offers, by name; raises BadData where it cannot be loaded or offers none.

    Those that are marked with `@contribute`, or, where none is, all that it defines without a leading `_`.
    """
    module = _loaded(path)
    found = dict(_marked(module)) or dict(_public(module))
    if not found:
        raise BadData(
            f"{path.name} has no function to offer",
            hint="Define one with `def` at the top level; those whose names begin with _ are left out.",
        )
    return found


def _marked(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for value in vars(module).values():
        if callable(value) and (capability := contributed(value)) is not None:
            yield capability.name, value


def _public(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


def _loaded(path: Path) -> ModuleType:
    """The file as a module, which finds its neighbours as a script does; raises BadData."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise BadData(
            f"the file {path} {what}", hint="Name a Python file: easynet node serve my_functions.py"
        )
    file = path.resolve()
    sys.path.insert(0, str(file.parent))
    name = file.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"served_{name}"
    # The loader is named because a script need not end in .py.
    spec = spec_from_file_location(name, file, loader=SourceFileLoader(name, str(file)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module  # data classes and type hints look their module up there
    try:
        with while_loading():
            spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _not_loaded(path, file, error) from error
    return module


def _not_loaded(path: Path, file: Path, error: BaseException) -> BadData:
    """What went wrong in a user's file, and where, without the way into it."""
    said = one_line(f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}")
    if isinstance(error, SystemExit):
        said = "it ends the process when it is loaded (sys.exit)"
    frames = traceback.extract_tb(error.__traceback__)
    first = next((i for i, frame in enumerate(frames) if Path(frame.filename) == file), len(frames))
    where = [f"  {Path(f.filename).name}, line {f.lineno}: {f.line}" for f in frames[first:][-_FRAMES:]]
    if isinstance(error, SyntaxError):
        where = [f"  {path.name}, line {error.lineno}: {(error.text or '').strip()}"]
    hint = ""
    if isinstance(error, ModuleNotFoundError):
        hint = f"Install it for the Python that runs easynet: {sys.executable} -m pip install ..."
    return BadData("\n".join([f"{path.name} cannot be loaded: {said}", *where]), hint=hint)
