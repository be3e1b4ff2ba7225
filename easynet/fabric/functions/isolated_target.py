"""A function by its place in a file, so that another process can find it."""

import importlib
import inspect
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any, Final

from easynet.core.errors import UnknownFunction, UsageError

_SCRIPT: Final = "__node_main__"
"""What a script is called in an isolated process, so that its `if __name__ == "__main__"` does not run."""

_loading: ContextVar[bool] = ContextVar("easynet_loading", default=False)


@dataclass(frozen=True)
class Target:
    """A function by its place in a file."""

    module: str
    """The name that its module is loaded under."""
    path: str
    """The module's file, where it cannot be imported by its name; "" where it can."""
    name: str
    """Its name within the module, with dots."""
    label: str
    """What it is called on the network."""


def target_of(function: Callable[..., Any], label: str = "") -> Target:
    """Where another process finds `function`; raises UsageError where it cannot.

    May be asked from a decorator, when the function does not have its name in the module yet.
    """
    name = str(getattr(function, "__qualname__", ""))
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if not name or module is None or _belongs_to_object(function):
        raise _refused(
            function, "is not a function of a module", "Wrap it in a function at the top of a file."
        )
    if "<" in name:
        what = "a lambda" if name.endswith("<lambda>") else "defined inside another function"
        raise _refused(function, f"is {what}", "Define it with `def` at the top level of a file.")
    label = label or name.rpartition(".")[2]
    if module.__name__ != "__main__":
        path = "" if _is_importable(module) else _file(module)
        return Target(module.__name__, path, name, label)
    if (spec := getattr(module, "__spec__", None)) is not None:  # python -m package.module
        return Target(str(spec.name), "", name, label)
    if not (path := _file(module)):
        raise _refused(function, "was typed in, not read from a file", "Save it in a file and serve that.")
    return Target(_SCRIPT, path, name, label)


def load(target: Target) -> Callable[..., Any]:
    """The function itself, in this process; raises UnknownFunction, or what its module raises."""
    with while_loading():
        module = _module(target)
    found: Any = module
    for part in target.name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise UnknownFunction(
            f"{target.path or target.module} has no function {target.name!r} when it is loaded as a module",
            hint="Define it at the top level of the file, not under `if __name__ == '__main__'`.",
        )
    return found  # type: ignore[no-any-return]  # looked up by name


def is_loading() -> bool:
    """Whether a module is being loaded into an isolated process, where it must not serve a node again."""
    return _loading.get()


@contextmanager
def while_loading() -> Generator[None]:
    """A module is being loaded for its functions: nodes that it would serve are not started."""
    token = _loading.set(True)
    try:
        yield
    finally:
        _loading.reset(token)


def _module(target: Target) -> ModuleType:
    if not target.path:
        return importlib.import_module(target.module)
    if target.module in sys.modules:  # another function of the same file was loaded before
        return sys.modules[target.module]
    # The loader is named because a script need not end in .py.
    loader = SourceFileLoader(target.module, target.path)
    spec = spec_from_file_location(target.module, target.path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[target.module] = module  # data classes and type hints look their module up there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[target.module]
        raise
    return module


def _belongs_to_object(function: Callable[..., Any]) -> bool:
    owner = getattr(function, "__self__", None)
    return owner is not None and not inspect.isclass(owner) and not inspect.ismodule(owner)


def _is_importable(module: ModuleType) -> bool:
    """Whether a fresh process finds the same module by its name."""
    top, _, rest = module.__name__.partition(".")
    spec = _spec(top)
    if spec is None or rest:
        return spec is not None
    path = _file(module)
    return not path or (spec.origin is not None and os.path.realpath(spec.origin) == os.path.realpath(path))


def _spec(name: str) -> ModuleSpec | None:
    """Where a module would come from; `importlib.util.find_spec` would say where it did come from."""
    for finder in sys.meta_path:
        if (spec := finder.find_spec(name, None)) is not None:
            return spec
    return None


def _file(module: ModuleType) -> str:
    path = getattr(module, "__file__", None)
    return os.path.abspath(path) if path and os.path.isfile(path) else ""


def _refused(function: Callable[..., Any], why: str, hint: str) -> UsageError:
    shown = getattr(function, "__qualname__", None) or repr(function)
    return UsageError(f"{shown} {why}, so no other process can find it", hint=hint)
