"""Prompts are data that does not change under its name."""

import hashlib
import json
from pathlib import Path

import pytest

import easynet.prompts
from easynet.prompts.prompt_text import prompt_text

HOME = Path(easynet.prompts.__file__).parent
DIGESTS = HOME / "digests.json"


def found() -> dict[str, str]:
    """The SHA-256 of every prompt by its name."""
    return {
        f"{file.parent.name}/{file.stem}": hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(HOME.glob("*/*.md"))
    }


def test_every_prompt_is_as_it_was_recorded() -> None:
    """A changed text is a new version; `python -m tests.prompts.test_prompt_text` records it."""
    assert found() == json.loads(DIGESTS.read_text())


@pytest.mark.parametrize("name", found())
def test_prompts_are_read_by_their_names(name: str) -> None:
    purpose, version = name.split("/")
    assert version.removeprefix("v").isdigit()
    assert prompt_text(name) == (HOME / purpose / f"{version}.md").read_text("utf-8")


def test_there_is_no_prompt_of_another_name() -> None:
    with pytest.raises(FileNotFoundError):
        prompt_text("plan/v0")


if __name__ == "__main__":
    recorded = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    # Only what is new is added: a text that has changed stays wrong until it has a name of its own.
    DIGESTS.write_text(json.dumps(dict(sorted({**found(), **recorded}.items())), indent=1) + "\n")
