"""Jobs, for people."""

import time
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from pydantic import JsonValue
from rich.console import Console
from rich.table import Table
from rich.text import Text

from easynet.agents.wording import one_line
from easynet.cli.render_wrap import terminal_columns
from easynet.core.artifact import Artifact
from easynet.core.events import Problem
from easynet.core.job import (
    Job,
    JobEnded,
    JobPostponed,
    JobProgressed,
    JobStarted,
    JobSubmitted,
    JobUpdate,
    JobYielded,
)

_PLAIN_WIDTH = 120
_MOST_VALUE = 200
"""Characters of an item that are shown in a line."""


def jobs_table(jobs: Sequence[Job]) -> str:
    """Jobs, in the order given."""
    if not jobs:
        return "There is no job yet."
    table = Table(box=None, show_edge=False, pad_edge=False)
    for name in ("Job", "State", "Submitted (UTC)", "Node"):
        table.add_column(name, no_wrap=True)
    table.add_column("Function", no_wrap=True, overflow="ellipsis", ratio=1)
    for job in jobs:
        began = time.strftime("%Y-%m-%d %H:%M", time.gmtime(job.submitted_at))
        state = f"{job.state} (attempt {job.attempt})" if job.attempt > 1 else job.state
        what = f"{job.function}: {job.reason}" if job.reason else job.function
        table.add_row(job.id, state, began, Text(one_line(job.node) or "–"), Text(one_line(what)))
    out = StringIO()
    width = terminal_columns() or _PLAIN_WIDTH
    Console(file=out, width=width, no_color=True, force_terminal=False, _environ={}).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))


def update_line(update: JobUpdate) -> str:
    """What happened, with its time, in one line."""
    return f"{time.strftime('%H:%M:%S', time.localtime(update.at))}  {one_line(_said(update))}"


def _said(update: JobUpdate) -> str:
    match update:
        case JobSubmitted():
            return "submitted"
        case JobStarted():
            attempt = f", attempt {update.attempt}" if update.attempt > 1 else ""
            return f"started on {update.node}{attempt}"
        case JobProgressed():
            share = f"{update.fraction:.0%}" if update.fraction is not None else ""
            return " ".join(part for part in (share, update.message) if part)
        case JobYielded():
            shown = str(plain(update.value))
            return f"item {shown[:_MOST_VALUE]}{'…' * (len(shown) > _MOST_VALUE)}"
        case JobPostponed():
            return f"{update.problem.message}; another attempt follows in {update.delay_s:g} s"
        case JobEnded(problem=Problem() as problem):
            return f"failed: {problem.message}"
        case JobEnded():
            return update.state


def plain(value: Any) -> JsonValue:
    """A value as JSON can hold it; what it cannot is described in a word."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case Artifact():
            return f"<{value.filename or 'value'}, {value.size_bytes:,} bytes>"
        case bytes():
            return f"<{len(value):,} bytes>"
        case _:
            return f"<{type(value).__name__}>"
