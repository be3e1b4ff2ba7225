import functools
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from easynet.core.contribution import contribute
from easynet.core.errors import UnknownFunction, UsageError
from easynet.fabric.functions.isolated_target import Target, is_loading, load, target_of
from easynet.fabric.wire.encoding import encode

ANSWER = 42


@contribute
def marked(x: int) -> int:
    return x


class Shelf:
    @staticmethod
    def fixed() -> int:
        return ANSWER

    @classmethod
    def named(cls) -> str:
        return cls.__name__

    def of_object(self) -> int:
        return ANSWER

    def __call__(self) -> int:
        return ANSWER


def closure() -> Callable[[], int]:
    number = ANSWER

    def inner() -> int:
        return number

    return inner


def run_script(path: Path, *args: str) -> str:
    done = subprocess.run(
        [sys.executable, path.name, *args], cwd=path.parent, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A file with a guard; prints how other processes would find its function."""
    path = tmp_path / "my_script.py"
    path.write_text(
        textwrap.dedent("""
            from easynet.fabric.functions.isolated_target import is_loading, target_of

            was_loading = is_loading()

            def double(x):
                return 2 * x

            if __name__ == "__main__":
                t = target_of(double, "twice")
                print(t.module, t.path, t.name, t.label, sep="|")
                raise SystemExit(3)
            """)
    )
    return path


@pytest.mark.parametrize(
    "function", [marked, Shelf.fixed, Shelf.named, encode, len, Path], ids=lambda f: f.__qualname__
)
def test_a_function_is_found_again_at_its_place(function: Callable[..., Any]) -> None:
    assert load(target_of(function)) == function


def test_a_module_that_can_be_imported_is_named_and_not_its_file() -> None:
    assert target_of(encode) == Target("easynet.fabric.wire.encoding", "", "encode", "encode")


def test_a_target_bears_the_name_that_callers_know() -> None:
    assert target_of(Shelf.fixed).label == "fixed"
    assert target_of(Shelf.fixed, "answer").label == "answer"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda: 1, "is a lambda"),
        (closure(), "is defined inside another function"),
        (Shelf().of_object, "is not a function of a module"),
        (Shelf(), "is not a function of a module"),
        (functools.partial(marked, 1), "is not a function of a module"),
        ("text".upper, "is not a function of a module"),
    ],
)
def test_what_no_other_process_can_find_is_refused_with_advice(function: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        target_of(function)
    assert "top" in caught.value.hint


def test_a_function_of_a_script_is_found_by_the_file_without_running_it_again(script: Path) -> None:
    module, path, name, label = run_script(script).strip().split("|")
    assert (module, path, name, label) == ("__node_main__", str(script), "double", "twice")
    try:
        assert load(Target(module, path, name, label))(4) == 8  # SystemExit(3) would have been raised
        assert sys.modules[module].was_loading
        assert not is_loading()
    finally:
        del sys.modules[module]


def test_a_function_that_was_typed_in_is_refused() -> None:
    code = "from easynet.fabric.functions.isolated_target import target_of\ndef f(): pass\ntarget_of(f)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "UsageError: f was typed in, not read from a file" in done.stderr


def test_a_module_that_was_loaded_from_a_file_is_named_with_that_file(script: Path) -> None:
    module = loaded("functions_of_a_node", script)
    try:
        target = target_of(module.double)
    finally:
        del sys.modules[module.__name__]
    assert target == Target("functions_of_a_node", str(script), "double", "double")


def test_a_file_named_like_another_module_is_not_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "colorsys.py"
    path.write_text("def double(x): return 2 * x\n")
    module = loaded("colorsys", path)
    try:
        assert target_of(module.double).path == str(path)
    finally:
        del sys.modules["colorsys"]


def test_a_function_that_only_the_script_itself_defines_is_missing_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "guarded.py"
    path.write_text("if __name__ == '__main__':\n    def f(): pass\n")
    with pytest.raises(UnknownFunction, match="has no function 'f'") as caught:
        load(Target("guarded", str(path), "f", "f"))
    assert "not under `if __name__" in caught.value.hint
    del sys.modules["guarded"]


def test_a_module_that_fails_is_not_kept_half_loaded(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f(): pass\nraise LookupError('half way')\n")
    for _ in range(2):
        with pytest.raises(LookupError, match="half way"):
            load(Target("broken", str(path), "f", "f"))
    assert "broken" not in sys.modules
    assert not is_loading()


def loaded(name: str, path: Path) -> ModuleType:
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
