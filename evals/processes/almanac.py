"""Twelve functions that make an almanac of the primes: `easynet node serve evals/processes/almanac.py`.

Each call notes its beginning and its end in the file `calls.jsonl` of the node's folder, so that a repetition
is seen whatever the network says. Two functions have effects outside and must not run twice.
"""

import fcntl
import itertools
import json
import os
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from easynet import call_key, contribute

FOLDER = Path.cwd()
_LONG_S = 0.25
"""How long a call takes at least; none of them needs a hundredth of it. It stands for longer work."""
_SHORT_S = 0.05
"""How long those with an effect take: somebody else does what follows from it."""


class Primes(TypedDict):
    primes: list[int]


class Gaps(TypedDict):
    gaps: list[int]


class Twins(TypedDict):
    twins: list[int]


class Endings(TypedDict):
    endings: list[int]


class Sums(TypedDict):
    sums: int


class GapTable(TypedDict):
    most_frequent_gap: int


class TwinTable(TypedDict):
    number_of_twins: int


class EndingTable(TypedDict):
    most_frequent_ending: int


class Chapters(TypedDict):
    chapters: list[str]


class Edition(TypedDict):
    edition: int


class Book(TypedDict):
    book: str


@contextmanager
def _noted(function: str, takes_s: float = _LONG_S) -> Generator[None]:
    """A call that takes its time, and is on record."""
    _note(function, "began")
    time.sleep(takes_s)
    yield
    _note(function, "ended")


def _note(function: str, what: str) -> None:
    line = {"function": function, "key": call_key(), "what": what, "at": time.time(), "pid": os.getpid()}
    with (FOLDER / "calls.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")


@contribute(price=3, expected_s=0.3, en="List the primes below a limit.", zh="列出上限以下的素数。")
def list_primes(limit: int) -> Primes:
    with _noted("list_primes"):
        return {"primes": [n for n in range(2, limit) if all(n % d for d in range(2, int(n**0.5) + 1))]}


@contribute(price=1, expected_s=0.3, en="Measure the gaps between primes.", zh="测量素数间隔。")
def measure_gaps(primes: Primes) -> Gaps:
    with _noted("measure_gaps"):
        found = primes["primes"]
        return {"gaps": [b - a for a, b in itertools.pairwise(found)]}


@contribute(price=1, expected_s=0.3, en="Find the twins among primes.", zh="找出孪生素数。")
def find_twins(primes: Primes) -> Twins:
    with _noted("find_twins"):
        known = set(primes["primes"])
        return {"twins": [p for p in primes["primes"] if p + 2 in known]}


@contribute(price=1, expected_s=0.3, en="Take the last digits of primes.", zh="取素数的末位数字。")
def take_endings(primes: Primes) -> Endings:
    with _noted("take_endings"):
        return {"endings": [p % 10 for p in primes["primes"]]}


@contribute(price=2, expected_s=0.3, en="Add the primes up.", zh="求素数之和。")
def add_up(primes: Primes) -> Sums:
    with _noted("add_up"):
        return {"sums": sum(primes["primes"])}


@contribute(price=1, expected_s=0.3, en="Make a table of the gaps.", zh="制作间隔表。")
def table_of_gaps(gaps: Gaps) -> GapTable:
    with _noted("table_of_gaps"):
        return {"most_frequent_gap": Counter(gaps["gaps"]).most_common(1)[0][0]}


@contribute(price=1, expected_s=0.3, en="Make a table of the twins.", zh="制作孪生素数表。")
def table_of_twins(twins: Twins) -> TwinTable:
    with _noted("table_of_twins"):
        return {"number_of_twins": len(twins["twins"])}


@contribute(price=1, expected_s=0.3, en="Make a table of the last digits.", zh="制作末位数字表。")
def table_of_endings(endings: Endings) -> EndingTable:
    with _noted("table_of_endings"):
        return {"most_frequent_ending": Counter(endings["endings"]).most_common(1)[0][0]}


@contribute(price=2, expected_s=0.3, en="Write the chapters from the tables.", zh="根据各表撰写章节。")
def write_chapters(
    gap_table: GapTable, twin_table: TwinTable, ending_table: EndingTable, sums: Sums
) -> Chapters:
    with _noted("write_chapters"):
        return {
            "chapters": [
                f"most frequent gap {gap_table['most_frequent_gap']}",
                f"{twin_table['number_of_twins']} twins",
                f"most frequent last digit {ending_table['most_frequent_ending']}",
                f"sum {sums['sums']}",
            ]
        }


@contribute(
    price=1, expected_s=0.3, idempotent=False, en="Take the next number of an edition.", zh="领取版次号码。"
)
def take_number(primes: Primes) -> Edition:
    with _noted("take_number", _SHORT_S), (FOLDER / "editions.txt").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        number = len(file.readlines()) + 1
        file.write(f"{call_key()}\n")
        return {"edition": number}


@contribute(price=2, expected_s=0.3, en="Bind chapters to a book.", zh="把章节装订成书。")
def bind_book(chapters: Chapters, edition: Edition) -> Book:
    with _noted("bind_book"):
        return {"book": "; ".join(chapters["chapters"])}


@contribute(
    price=2,
    expected_s=0.3,
    idempotent=False,
    en="Deliver an almanac of the primes below a limit.",
    zh="投递一本上限以下的素数年鉴。",
)
def deliver_almanac(book: Book) -> str:
    with _noted("deliver_almanac", _SHORT_S), (FOLDER / "letterbox.txt").open("a") as file:
        file.write(f"{call_key()}\n")
        return book["book"]
