"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from easynet.cli.exits import exit_code
from easynet.core.errors import EasyNetError

ROOMS = "core|fabric|agents|planners|execution|scheduling|cli|tools|specialists"
DOCS = Path(__file__).parent.parent / "docs"


def families(base: type[EasyNetError] = EasyNetError) -> list[type[EasyNetError]]:
    """Every error class, families first."""
    return [c for sub in base.__subclasses__() for c in (sub, *families(sub))]


@pytest.mark.parametrize("error", [e for e in families() if e.__module__ == "easynet.core.errors"])
def test_every_error_is_documented_with_its_exit_code(error: type[EasyNetError]) -> None:
    row = f"| `{error.__name__}` | `{error.code}` | {exit_code(error)} |"
    assert row in (DOCS / "errors.md").read_text()


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")) + sorted(DOCS.parent.glob("*.md")))
def test_files_that_documents_name_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for name in re.findall(rf"`((?:{ROOMS})/\w+\.py)`", text):
        assert (DOCS.parent / "easynet" / name).exists(), f"{page.name} names {name}"
