"""The prompts by their names."""

from functools import cache
from importlib.resources import files


@cache
def prompt_text(name: str) -> str:
    """The text of a prompt, such as `plan/v2`.

    A version's text never changes: `digests.json` holds the SHA-256 of each, and a test compares them. What
    should be said differently is a new version. Raises FileNotFoundError where there is none of that name.
    """
    purpose, version = name.split("/")
    return files("easynet.prompts").joinpath(purpose, f"{version}.md").read_text("utf-8")
