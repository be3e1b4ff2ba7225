"""A run as one view on a terminal that keeps itself up to date."""

import time
from threading import RLock
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from easynet.agents.rivals import tried
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import Attempt, State, Step
from easynet.agents.wording import about, format_time, one_line, state_label, status_label
from easynet.cli.render_line import (
    caveat_lines,
    event_line,
    percentage,
    provenance_lines,
    question_lines,
    totals,
)
from easynet.cli.render_table import MARKS
from easynet.core.events import (
    ApprovalRequested,
    AttemptFailed,
    ModelFellBack,
    PlanMade,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    Status,
)
from easynet.core.language import say
from easynet.core.quantities import format_credits

_STYLES: dict[State, str] = {
    "waiting": "dim",
    "running": "bold cyan",
    "asking": "bold yellow",
    "succeeded": "green",
    "failed": "bold red",
    "stopped": "yellow",
}
_STATUS_STYLES: dict[Status, str] = {
    "succeeded": "bold green",
    "needs_input": "bold yellow",
    "cancelled": "bold yellow",
}
_SAID: frozenset[State] = frozenset({"asking", "failed", "stopped"})
"""States that the mark alone does not say."""
_REFRESHES_PER_SECOND = 8
_BAR_COLUMNS = 12
_WIDTH_FOR_BARS = 92
_OTHER_LINES = 8
"""Lines of the view besides the steps, at most."""


class LiveView:
    """The plan as a list of steps with what each is doing, and the running totals below."""

    def __init__(self, account: RunAccount, stream: TextIO) -> None:
        self._account = account
        self._console = Console(file=stream, highlight=False)
        self._live: Live | None = None
        self._lock = RLock()
        self._told_at = time.monotonic()
        self._spinner = Spinner("dots", style="cyan")

    @staticmethod
    def suits(stream: TextIO) -> bool:
        """Whether the stream is a terminal that can move its cursor."""
        return stream.isatty() and not Console(file=stream).is_dumb_terminal

    def show(self, event: RunEvent) -> None:
        """Take in one event more, and draw it at the next refresh."""
        with self._lock:
            self._account.add(event)
            self._told_at = time.monotonic()
            line = Text(event_line(event, self._account))
        match event:
            case QuestionAsked() | ApprovalRequested():
                self.pause()
                lines = question_lines(event.question, self._account.language)
                self._console.print(Text("\n".join(lines)), style="bold", soft_wrap=True)
            case AttemptFailed() | ModelFellBack() | Replanned():
                self._resume()
                self._console.print(line, style="yellow", soft_wrap=True)
            case PlanMade():
                self._resume()
                for line_ in provenance_lines(self._account):
                    self._console.print(Text(line_.strip()), style="dim")
                for caveat in caveat_lines(self._account):
                    self._console.print(Text(caveat), style="yellow")
            case RunFinished():
                self._resume()
                self.pause()
                self._console.print()
            case _:  # Seen in the view itself, when it is drawn next.
                self._resume()

    def pause(self) -> None:
        """Stop drawing; what was drawn stays, and the cursor is visible again."""
        if self._live is not None:
            live, self._live = self._live, None
            live.stop()

    def _resume(self) -> None:
        if self._live is None:
            # stdout is left alone: it may lead to a file, where the result belongs.
            live = Live(
                get_renderable=self._draw,
                console=self._console,
                refresh_per_second=_REFRESHES_PER_SECOND,
                redirect_stdout=False,
            )
            live.start()
            self._live = live

    def _draw(self) -> RenderableType:
        with self._lock:
            return Group(*self._parts())

    def _parts(self) -> list[RenderableType]:
        account = self._account
        parts: list[RenderableType] = [
            Text(one_line(account.goal), style="bold", no_wrap=True, overflow="ellipsis")
        ]
        if not account.current:
            return [*parts, self._waiting_line()]
        parts += [Text(totals(account), style="dim"), Text()]
        return [*parts, self._steps(), Text(), self._foot()]

    def _waiting_line(self) -> RenderableType:
        account = self._account
        if account.finished is not None:
            return Text(status_label(account.finished.status, account.language), style="bold")
        self._spinner.update(text=Text(say(account.language, "Planning", "正在规划"), style="dim"))
        return self._spinner

    def _steps(self) -> RenderableType:
        account = self._account
        steps, before, after = window(account.current, max(3, self._console.height - _OTHER_LINES))
        columns = self._console.width
        title_columns = max(16, min(max(cell_len(one_line(s.title)) for s in steps), columns * 2 // 5))
        node_columns = max((cell_len(one_line(s.node)) for s in steps), default=0)
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(width=1, min_width=1, no_wrap=True)
        table.add_column(width=title_columns, min_width=16, no_wrap=True, overflow="ellipsis")
        table.add_column(width=min(node_columns, 16), no_wrap=True, overflow="ellipsis", style="dim")
        table.add_column(min_width=7, no_wrap=True, justify="right", style="dim")
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        for step in steps:
            table.add_row(*self._row(step))
        more_before = say(account.language, f"  … {before} before", f"  … 前面 {before} 个")
        more_after = say(account.language, f"  … {after} more", f"  … 后面 {after} 个")
        return Group(
            *([Text(more_before, style="dim")] if before else []),
            Padding(table, (0, 0, 0, 2)),
            *([Text(more_after, style="dim")] if after else []),
        )

    def _row(self, step: Step) -> list[RenderableType]:
        language, state = self._account.language, step.state
        waits = state == "waiting"
        attempt = step.running
        if attempt is not None:
            took = format_time(self._now() - attempt.started_s, language)
        elif step.duration_s is not None:
            took = format_time(step.duration_s, language)
        elif waits and step.planned is not None:
            took = about(step.planned.ends_s - step.planned.starts_s, language)
        else:
            took = ""
        return [
            Text(MARKS[state], style=_STYLES[state]),
            Text(one_line(step.title), style="dim" if waits else "bold" if attempt else ""),
            Text(one_line(step.node)),
            Text(took),
            self._doing(step, attempt),
        ]

    def _doing(self, step: Step, attempt: Attempt | None) -> RenderableType:
        """A bar and a message where it runs, else a word where it is not plainly done or waiting."""
        language = self._account.language
        if attempt is None:
            credits = step.planned.price if step.planned else None
            words = [state_label(step.state, language)] if step.state in _SAID else []
            if step.state == "waiting" and credits is not None and not step.tries:
                words.append(say(language, f"{credits} credit{'s' * (credits != 1)}", f"{credits} 积分"))
            words += tried(step, language)
            return Text(
                " · ".join(words), style=_STYLES["waiting" if step.state == "succeeded" else step.state]
            )
        message = (one_line(attempt.message), "dim")
        if attempt.fraction is None:
            return Text.assemble(message)
        percent = f"{percentage(attempt.fraction):>4} "
        if self._console.width < _WIDTH_FOR_BARS:
            return Text.assemble(percent, message)
        filled = round(_BAR_COLUMNS * min(1.0, max(0.0, attempt.fraction)))
        return Text.assemble(
            ("━" * filled, "cyan"), ("━" * (_BAR_COLUMNS - filled), "bright_black"), percent, message
        )

    def _foot(self) -> RenderableType:
        account = self._account
        language = account.language
        done, total = account.count("succeeded"), len(account.current)
        words = " · ".join(
            (
                say(language, f"{done} of {total} steps", f"{done} / {total} 个步骤"),
                format_credits(account.paid, language),
                format_time(self._now(), language),
            )
        )
        if account.finished is None:
            planning = say(language, " · planning goes on", " · 仍在规划") * (not account.is_complete)
            self._spinner.update(text=Text(words + planning))
            return self._spinner
        status = account.finished.status
        label = Text(status_label(status, language), style=_STATUS_STYLES.get(status, "bold red"))
        return Text.assemble(label, f" · {words}")

    def _now(self) -> float:
        """The run's clock, carried on between events."""
        if self._account.finished is not None:
            return self._account.now_s
        return self._account.now_s + time.monotonic() - self._told_at


def window(steps: list[Step], rows: int) -> tuple[list[Step], int, int]:
    """At most `rows` neighbouring steps around what is running, and how many are left out on each side."""
    if len(steps) <= rows:
        return steps, 0, 0
    active = [n for n, s in enumerate(steps) if s.state == "running"]
    done = [n for n, s in enumerate(steps) if s.state != "waiting"]
    first = active[0] if active else (done[-1] if done else 0)
    start = max(0, min(first - rows // 4, len(steps) - rows))
    return steps[start : start + rows], start, len(steps) - start - rows
