"""The subtasks in a model's answer while it is still being written."""

import json

_LONGEST = 100_000
"""Characters that are looked at; what comes after is no plan any more."""


class SubtaskReader:
    """Finds each object of the answer's list `subtasks` as soon as its last brace is there.

    It follows strings and brackets only. Whether the answer is JSON at all is judged when it is whole.
    """

    def __init__(self) -> None:
        self.decision = ""
        """What the answer says before its list of subtasks, as far as it has said so."""
        self._text = ""
        self._depth = 0
        self._string_from: int | None = None
        self._is_escaped = False
        self._last_string = ""
        self._key = ""
        self._is_in_list = False
        self._object_from = 0

    def feed(self, piece: str) -> list[str]:
        """The text of each subtask that ends within this piece of the answer."""
        at, self._text = len(self._text), (self._text + piece)[:_LONGEST]
        found: list[str] = []
        for i in range(at, len(self._text)):
            character = self._text[i]
            if self._string_from is not None:
                self._within_string(i, character)
            elif character == '"':
                self._string_from = i
            elif character == ":" and self._depth == 1:
                self._key = self._last_string
            elif character in "{[":
                self._open(i, character)
            elif character in "}]":
                found += self._close(i)
        return found

    def _within_string(self, i: int, character: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif character == "\\":
            self._is_escaped = True
        elif character == '"':
            assert self._string_from is not None
            if self._depth == 1:
                self._said(_unquoted(self._text[self._string_from : i + 1]))
            self._string_from = None

    def _said(self, text: str) -> None:
        if self._key == "decision":
            self.decision = text
        self._key, self._last_string = "", text

    def _open(self, i: int, bracket: str) -> None:
        if self._depth == 1:
            self._is_in_list = bracket == "[" and self._key == "subtasks"
            self._key = ""
        elif self._depth == 2 and self._is_in_list:
            self._object_from = i
        self._depth += 1

    def _close(self, i: int) -> list[str]:
        self._depth -= 1
        if self._depth == 2 and self._is_in_list:
            return [self._text[self._object_from : i + 1]]
        if self._depth == 1:
            self._is_in_list = False
        return []


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""
