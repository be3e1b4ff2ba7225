"""A node for journeys, as a process: `python -m tests.journeys.print_shop GATEWAY TALLY [BROKEN ...]`.

It sets type and prints, notes every call in the file TALLY, and fails for good in the functions BROKEN.
"""

import asyncio
import sys
from pathlib import Path
from typing import TypedDict

from easynet import ComputeNode

gateway, tally, *broken = sys.argv[1:]
node = ComputeNode(gateway, name="print-shop")


class Letters(TypedDict):
    """What is to be set."""

    text: str


class Page(TypedDict):
    """A page that can be printed."""

    lines: list[str]


def note(function: str) -> None:
    with Path(tally).open("a") as file:
        file.write(function + "\n")
    if function in broken:
        raise RuntimeError(f"{function} is out of order")


@node.register(price=1, expected_s=0.1, en="Sort the letters of a text.", zh="整理文字。")
def sort_letters(text: str) -> Letters:
    note("sort_letters")
    return {"text": text}


@node.register(price=1, expected_s=0.1, en="Set a page by machine.", zh="用机器排一页。")
def set_by_machine(letters: Letters) -> Page:
    note("set_by_machine")
    return {"lines": [letters["text"]]}


@node.register(price=3, expected_s=0.1, en="Set a page by hand.", zh="用手排一页。")
def set_by_hand(letters: Letters) -> Page:
    note("set_by_hand")
    return {"lines": [letters["text"]]}


@node.register(price=1, expected_s=0.1, en="Print a page.", zh="印一页。")
def print_page(page: Page) -> str:
    note("print_page")
    return " / ".join(page["lines"])


async def serve() -> None:
    """Serve until terminated; `ready` on stdout once the node has joined."""
    async with node:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
