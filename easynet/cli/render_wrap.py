"""Prose that fits a terminal: broken between words and Han characters, never inside a path or a command."""

import re
import shutil
import sys

from easynet.agents.wording import COMMAND, columns, is_wide

_LEAST_COLUMNS = 60
_NEVER_FIRST = "，。；：！？、）”」》"
_NEVER_LAST = "（“「《"
_STOPS = "\\s，。；：！？、（）“”「」《》"
_WHOLE = re.compile(rf"{COMMAND.pattern}|[^{_STOPS}]*/[^{_STOPS}]*")
"""What is one piece, whatever is in it: commands, and paths."""


def terminal_columns() -> int | None:
    """The width of the terminal that stdout is; `None` where it is a file or a pipe."""
    return max(_LEAST_COLUMNS, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def wrap_prose(line: str, width: int) -> list[str]:
    """`line` in rows of at most `width` columns, but for pieces that are longer alone.

    Further rows are indented like the first; those of an item that begins with a hyphen, like its words.
    """
    lead = re.match(r"(?:\s*(?:[-?•–] )?)", line)
    first = lead.group() if lead else ""
    indent = " " * columns(first)
    rows = [first]
    for piece in _pieces(line[len(first) :]):
        if columns(rows[-1] + piece.rstrip()) > width and rows[-1].strip(" -?•–"):
            rows.append(indent)
            piece = piece.lstrip()
        rows[-1] += piece
    return [row.rstrip() for row in rows]


def _pieces(words: str) -> list[str]:
    """The parts of a line that stay whole; each carries the space after it."""
    pieces: list[str] = []
    at = 0
    for match in _WHOLE.finditer(words):
        pieces += _words(words[at : match.start()])
        pieces.append(match.group())
        at = match.end()
    return _held_together([*pieces, *_words(words[at:])])


def _words(text: str) -> list[str]:
    pieces = [""]
    for character in text:
        if is_wide(character) or (pieces[-1].endswith(" ") and character != " "):
            pieces.append("")
        pieces[-1] += character
        if is_wide(character):
            pieces.append("")
    return [p for p in pieces if p]


def _held_together(pieces: list[str]) -> list[str]:
    """The pieces with those joined that may not be parted.

    A closing mark stays with what is before it, an opening one with what follows, and so do words without a
    space between them.
    """
    held: list[str] = []
    for piece in pieces:
        last = held[-1] if held else " "
        closes = piece[0] in _NEVER_FIRST or last[-1] in _NEVER_LAST
        is_one_word = not (last[-1] == " " or piece[0] == " " or is_wide(last[-1]) or is_wide(piece[0]))
        if held and (closes or is_one_word or not piece.strip()):
            held[-1] += piece
        else:
            held.append(piece)
    return held
