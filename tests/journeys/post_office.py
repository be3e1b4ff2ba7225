"""A node for journeys, as a process: `python -m tests.journeys.post_office GATEWAY TALLY`.

It sends letters and burns archives, which cannot be undone, and notes each in the file TALLY. A letter is
written first, by hand (and the writer is ill) or by machine.
"""

import asyncio
import sys
from pathlib import Path
from typing import TypedDict

from easynet import ComputeNode

gateway, tally = sys.argv[1:]
node = ComputeNode(gateway, name="post-office")


class Draft(TypedDict):
    """What is to be written."""

    text: str


class Letter(TypedDict):
    """What is to be sent."""

    text: str


def note(what: str) -> None:
    with Path(tally).open("a") as file:
        file.write(what + "\n")


@node.register(price=1, expected_s=0.1, en="Draft a text.", zh="起草文字。")
def draft(text: str) -> Draft:
    return {"text": text}


@node.register(price=1, expected_s=0.1, en="Write a letter by machine.", zh="用机器写信。")
def write_by_machine(draft: Draft) -> Letter:
    return {"text": draft["text"]}


@node.register(price=3, expected_s=0.1, en="Write a letter by hand.", zh="用手写信。")
def write_by_hand(draft: Draft) -> Letter:
    raise RuntimeError("the writer is ill")


@node.register(
    price=2, expected_s=0.1, irreversible=True, en="Send the letter that is written.", zh="寄出写好的信。"
)
def send_letter(letter: Letter) -> str:
    note(letter["text"])
    return f"sent {letter['text']}"


@node.register(price=2, expected_s=0.1, irreversible=True, en="Burn the archive.", zh="烧掉档案。")
def burn_archive(room: str) -> str:
    note(f"burnt {room}")
    return f"burnt {room}"


async def serve() -> None:
    """Serve until terminated; `ready` on stdout once the node has joined."""
    async with node:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
