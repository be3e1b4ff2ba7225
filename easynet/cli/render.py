"""What the commands show: a run while it happens on stderr, results and lists for stdout."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TextIO

from easynet.agents.run_account import RunAccount
from easynet.cli.render_functions import function_details, functions_json, functions_list, offered
from easynet.cli.render_line import event_line, plan_lines, question_lines, stopped_line
from easynet.cli.render_live import LiveView
from easynet.cli.render_result import print_result, result_lines, run_story
from easynet.cli.render_table import functions_table, nodes_table, runs_table
from easynet.core.events import (
    ApprovalRequested,
    AttemptProgressed,
    IntentParsed,
    MoneyReserved,
    MoneySettled,
    PlanMade,
    QuestionAsked,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
)

__all__ = (
    "Story",
    "function_details",
    "functions_json",
    "functions_list",
    "functions_table",
    "nodes_table",
    "offered",
    "print_result",
    "result_lines",
    "run_story",
    "runs_table",
)

_QUIET_S = 5.0
"""A plain story tells of a step's progress at most this often."""


class Story:
    """A run, told on a terminal while it happens.

    On a terminal that can move its cursor it is one view that keeps itself up to date; elsewhere it is one
    line an event, without control codes. The result itself is not part of it.
    """

    def __init__(self, stream: TextIO | None = None, *, live: bool | None = None) -> None:
        self._stream = stream or sys.stderr
        self._account = RunAccount()
        is_live = LiveView.suits(self._stream) if live is None else live
        self._view = LiveView(self._account, self._stream) if is_live else None
        self._told_s: dict[tuple[str, int], float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def recall(self, events: Iterable[RunEvent]) -> None:
        """Know what happened before, without telling it: for a run that is resumed."""
        for event in events:
            self._account.add(event)

    def show(self, event: RunEvent) -> None:
        """Tell of one event more."""
        if self._view is not None:
            self._view.show(event)
            return
        running = [(s, s.running) for s in self._account.steps.values()]
        self._account.add(event)
        if isinstance(event, RunFinished):
            for step, attempt in running:
                if attempt is not None:
                    self._write(self._timed(stopped_line(step, attempt, self._account.language)))
        if self._is_worth_a_line(event):
            self._tell(event)

    def pause(self) -> None:
        """Leave the screen to somebody else, such as a prompt; the next event takes it again."""
        if self._view is not None:
            self._view.pause()

    def close(self) -> None:
        """The cursor is back, and the last state stays on the screen."""
        self.pause()

    def _is_worth_a_line(self, event: RunEvent) -> bool:
        """The plan is told once it has a price, and money is told in totals."""
        if isinstance(event, PlanMade):
            return not event.is_complete
        if isinstance(event, IntentParsed | MoneyReserved | MoneySettled):
            return False
        if not isinstance(event, AttemptProgressed):
            return True
        key = (event.subtask, event.attempt)
        started = self._account.step(event.subtask).attempt(event.attempt).started_s
        if self._account.now_s - self._told_s.get(key, started) < _QUIET_S:
            return False
        self._told_s[key] = self._account.now_s
        return True

    def _tell(self, event: RunEvent) -> None:
        line = event_line(event, self._account)
        if isinstance(event, QuestionAsked | ApprovalRequested):
            self._write(*question_lines(event.question, self._account.language))
        else:
            is_frame = isinstance(event, RunStarted | RunFinished)
            self._write(line if is_frame else self._timed(line))
        if isinstance(event, ScheduleMade):
            self._write(*plan_lines(self._account))

    def _timed(self, line: str) -> str:
        return f"[{self._account.now_s:6.1f} s] {line}"

    def _write(self, *lines: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        text = "".join(f"{line}\n" for line in lines)
        try:
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except BrokenPipeError:
            raise  # nobody follows any more
        except OSError:
            pass  # a full disk under a log costs the story, not the work
