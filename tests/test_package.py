"""The package as it is installed: names, imports, the wheel."""

import importlib
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import easynet

ROOT = Path(__file__).parent.parent


def test_public_names_are_exactly_those_promised() -> None:
    assert set(easynet.__all__) == {*easynet._HOMES, "__version__"}
    for name in easynet.__all__:
        assert getattr(easynet, name) is not None


def test_every_module_can_be_imported() -> None:
    for module in pkgutil.walk_packages(easynet.__path__, "easynet."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def modules_after(*arguments: str) -> set[str]:
    """What a fresh process has imported after running `easynet` with these arguments."""
    script = (
        "import sys; from easynet.cli import main\n"
        f"sys.argv = {['easynet', *arguments]!r}\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('MODULES', *sys.modules)"
    )
    ran = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    return set(ran.stdout.rpartition("MODULES")[2].split())


HEAVY = {"langgraph", "langchain_core", "networkx", "nats", "rich", "asyncio", "pandas", "numpy"}


def test_help_imports_nothing_heavy() -> None:
    assert not modules_after("--help") & {*HEAVY, "pydantic"}


@pytest.mark.parametrize("arguments", [("--version",), ("chta",), ("do", "--help"), ("runs", "--help")])
def test_commands_that_do_no_work_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    # Typer itself converts options with pydantic.
    assert not modules_after(*arguments) & HEAVY


def test_importing_the_package_imports_nothing_heavy() -> None:
    script = "import easynet, sys; print(*sys.modules)"
    ran = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    assert not {"pydantic", "langgraph", "nats", "typer"} & set(ran.stdout.split())


@pytest.mark.slow
def test_wheel_built_from_the_sdist_holds_every_room(tmp_path: Path) -> None:
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path), str(ROOT))
    subprocess.run(build, check=True, capture_output=True, timeout=250)
    [wheel] = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    sources = {str(p.relative_to(ROOT)) for p in (ROOT / "easynet").rglob("*") if p.is_file()}
    missing = {s for s in sources if "__pycache__" not in s} - packed
    assert not missing
    assert not any(name.split("/")[0] in {"agents", "planners", "tools", "prompts", "cli"} for name in packed)


def test_links_at_the_root_lead_to_the_rooms() -> None:
    for room in ("agents", "planners", "tools", "prompts", "cli"):
        link = ROOT / room
        assert link.is_symlink()
        assert link.resolve() == ROOT / "easynet" / room
