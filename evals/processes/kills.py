"""Runs that are killed at random moments and gone on with: `python -m evals.processes.kills [POINTS]`.

A point is a run in a process of its own that is ended by SIGKILL, resumed with `easynet runs resume` in
another one, and sometimes killed there as well. When, is drawn from a fixed seed; what a process had come to
by then is not, and stands in the log. Whatever does not hold is said, and the exit code is 1.
"""

import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from easynet.core.events import AttemptStarted, PlanMade, RunEvent
from easynet.core.ids import RunId
from easynet.execution.journal import SqliteJournal
from evals.processes.forked import Forked, load
from evals.processes.home import Home
from evals.processes.kill_checks import Call, Kill, Story, known_inputs

SEED = 5
POINTS = 50
Kind = Literal["gateway", "answered", "approval", "embedded"]
KINDS: Sequence[Kind] = ("gateway",) * 6 + ("answered", "answered", "approval", "embedded")
"""In turn: two of ten answer a question, one waits for agreement, one takes all its nodes along."""
SENTENCE = "deliver an almanac of the primes"
LIMIT = "2000"
PRICE = 18
OUTPUT = "most frequent gap 6; 61 twins; most frequent last digit 3; sum 277050"
BUDGET = 20
TABLE = "name,amount\nann,3\nbob,5\ncid,9\n"
DESCRIPTION = "3 rows and 2 columns"
ONCE = frozenset({"take_number", "deliver_almanac"})
_PATIENCE_S = 120.0
_POLL_S = 0.01
_ASKED = 6
"""So many events a run has when it asks for agreement."""
_MOST_LATER_S = 0.3
"""A call takes 0.25 s: all of what happens between two events is met."""


@dataclass
class Point:
    """One run, killed once or more."""

    number: int
    kind: Kind
    moments: Sequence[tuple[float, float]]
    """When each process is killed: after which share of the events that are to come, and so many seconds."""
    run: RunId | None = None
    kills: list[Kill] = field(default_factory=list[Kill])
    story: Story | None = None
    complaints: list[str] = field(default_factory=list[str])

    @classmethod
    def drawn(cls, number: int, dice: random.Random) -> "Point":
        again = dice.choice((0, 0, 1, 2))
        moments = [(dice.uniform(0, 1), dice.uniform(0, _MOST_LATER_S)) for _ in range(1 + again)]
        return cls(number, KINDS[number % len(KINDS)], moments)

    @property
    def line(self) -> str:
        """The point in the log."""
        head = f"{self.number:>3} {self.kind:<8}"
        if self.run is None:
            return f"{head} killed before the run had begun; nothing had been done"
        told = ", then ".join(_told(kill) for kill in self.kills)
        return f"{head} {told}; {self._ending}" + "".join(f"\n    NO: {c}" for c in self.complaints)

    @property
    def _ending(self) -> str:
        story = self.story
        assert story is not None, "a run that had begun has a story"
        later = story.events[len(self.kills[-1].events) :]
        ran = {e.subtask for e in later if isinstance(e, AttemptStarted)}
        again = Counter(c.function for c in story.calls if c.what == "began")
        repeated = sum(n - 1 for n in again.values())
        end = "may have happened already, not done again" if story.is_honest else story.ending.status
        return f"resumed: {len(ran)} sent, {repeated} ran twice, {end}"


def _told(kill: Kill) -> str:
    last = next((e for e in reversed(kill.events) if not e.kind.startswith("money")), None)
    if last is None:
        return "killed at once"
    what = f"{last.kind} {getattr(last, 'subtask', '')}".strip()
    plan = next((e.graph for e in reversed(kill.events) if isinstance(e, PlanMade)), None)
    done = f"{len(kill.finished)} of {len(plan.subtasks)} done" if plan else "no plan yet"
    return f"killed after {what} ({done}, {len(kill.under_way)} under way)"


@dataclass(frozen=True)
class Place:
    """A network to run on."""

    home: Home
    """Where commands are typed."""
    gateway: str
    node: Home
    """Where the node notes its calls."""


class Yard:
    """Where runs are started, killed and resumed."""

    def __init__(self, own: Place, other: Place) -> None:
        self._own = own
        self._other = other
        self._lengths: dict[Kind, int] = {}
        """How many events a run has where nobody kills it."""
        self._known: set[RunId] = set()
        (own.home.folder / "table.csv").write_text(TABLE)

    def _place(self, kind: Kind) -> Place:
        return self._other if kind == "approval" else self._own

    def measure(self, kind: Kind) -> None:
        """Find out how many events a run of this kind has where nobody kills it."""
        process = self._begin(Point(0, kind, ()))
        process.wait(_PATIENCE_S)
        process.kill()
        run, self._lengths[kind] = self._position(kind)
        if run is None or self._events_of(kind, run)[-1].kind != "run_finished":
            raise RuntimeError(f"a run that nobody killed: {process.err.read_text()}")
        self._known.add(run)

    def work_through(self, point: Point) -> None:
        """Start, kill and resume a run, and look at what came of it."""
        length = self._lengths["gateway" if point.kind in ("approval", "answered") else point.kind]
        self._kill(point, self._begin(point), length, *point.moments[0])
        if point.run is None:
            return
        for moment in point.moments[1:]:
            self._kill(point, self._resume(point), length, *moment)
        last = self._resume(point)
        if not last.wait(_PATIENCE_S):
            last.kill()
        point.story = self._story(point)
        point.complaints += point.story.complaints()

    def _begin(self, point: Point) -> Forked:
        words = (SENTENCE, "--gateway", self._place(point.kind).gateway, "--budget", f"{BUDGET} credits")
        given = ("--input", f"limit={LIMIT}")
        match point.kind:
            case "embedded":
                table = ("describe this table", "--input", "data=table.csv", "--budget", f"{BUDGET} credits")
                return self._command(point, *table, "--gateway", "embedded", "--json")
            case "gateway":
                return self._command(point, *words, *given, "--json")
            case "approval":
                return self._command(point, *words, *given, at_terminal=True)
            case "answered":
                # Else the answers of earlier runs are taken for granted.
                self._command(point, "experience", "forget", "--all", "--yes").wait(_PATIENCE_S)
                asked = self._command(point, *words, "--json")
                asked.wait(_PATIENCE_S)
                point.run, _ = self._position(point.kind)
                return self._resume(point)

    def _resume(self, point: Point) -> Forked:
        """Go on; what the journal knows already is not said again."""
        assert point.run is not None, "what is resumed has begun"
        events = self._events(point)
        said: list[str] = []
        if point.kind == "answered" and not any("limit" in known_inputs(e) for e in events):
            said += ["--answer", f"limit={LIMIT}"]
        if point.kind == "approval" and not any(isinstance(e, AttemptStarted) for e in events):
            said += ["--yes"]
        return self._command(point, "runs", "resume", point.run, *said, "--json")

    def _command(self, point: Point, *arguments: str, at_terminal: bool = False) -> Forked:
        home = self._place(point.kind).home
        return Forked.start(arguments, home.folder, home.environment, at_terminal=at_terminal)

    def _kill(self, point: Point, process: Forked, length: int, share: float, later_s: float) -> None:
        """Kill it some time after a share of the events that the run still needs; of a question, at once."""
        run, position = self._position(point.kind)
        begun = position if run is not None and run == point.run else 0
        while not process.wait(_POLL_S):
            run, position = self._position(point.kind)
            if run is not None and run not in self._known - {point.run}:
                point.run = run
                is_asked = point.kind == "approval" and begun == 0 and position >= _ASKED
                if is_asked or position >= begun + max(1.0, share * (length - begun)):
                    process.wait(later_s)
                    break
        process.kill()
        run, _ = self._position(point.kind)
        if run is not None and run not in self._known - {point.run}:
            point.run = run
            self._known.add(run)
            point.kills.append(Kill(time.time(), self._events(point)))

    def _position(self, kind: Kind) -> tuple[RunId | None, int]:
        """The latest run, and how many events it has."""
        path = self._place(kind).home.data / "journal.db"
        if not path.exists():
            return None, 0
        query = "SELECT id, next_seq FROM run ORDER BY started_at DESC LIMIT 1"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db, suppress(sqlite3.Error):
            return next(((RunId(run), n) for run, n in db.execute(query)), (None, 0))
        return None, 0

    def _events(self, point: Point) -> list[RunEvent]:
        assert point.run is not None, "only a run that has begun has events"
        return self._events_of(point.kind, point.run)

    def _events_of(self, kind: Kind, run: RunId) -> list[RunEvent]:
        with closing(SqliteJournal(self._place(kind).home.data / "journal.db")) as journal:
            return journal.events(run)

    def _story(self, point: Point) -> Story:
        assert point.run is not None, "only a run that has begun has a story"
        is_almanac = point.kind != "embedded"
        return Story(
            kills=point.kills,
            events=self._events(point),
            calls=Call.noted_in(self._place(point.kind).node.folder / "calls.jsonl", point.run),
            once=ONCE if is_almanac else frozenset(),
            budget=BUDGET,
            price=PRICE if is_almanac else None,
            output=OUTPUT if is_almanac else DESCRIPTION,
        )


def main(count: int = POINTS) -> int:
    """Work through so many points; how many of them broke a promise."""
    load()
    dice = random.Random(SEED)
    points = [Point.drawn(number, dice) for number in range(1, count + 1)]
    with (
        tempfile.TemporaryDirectory(prefix="easynet-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        yard = stack.enter_context(yard_in(Path(folder)))
        yard.measure("gateway")
        yard.measure("embedded")
        for point in points:
            yard.work_through(point)
            print(point.line, flush=True)
    print(summary(points))
    return sum(bool(point.complaints) for point in points)


@contextmanager
def yard_in(folder: Path) -> Generator[Yard]:
    """A network with a node of its owner's, and one whose node is somebody else's. Both live on."""
    for name in ("own", "other", "stranger"):
        (folder / name).mkdir()
    with Home(folder / "own") as own, Home(folder / "other") as other, Home(folder / "stranger") as stranger:
        gateways = own.start_gateway(), other.start_gateway()
        own.start_node("press", gateways[0], concurrency=4)
        stranger.say("join", other.say("invite", "node", "--name", "stranger").split()[-1])
        stranger.start_node("stranger", gateways[1], concurrency=4)
        yield Yard(Place(own, gateways[0], own), Place(other, gateways[1], stranger))


def summary(points: Sequence[Point]) -> str:
    """What it comes to, in a line."""
    kills = sum(max(1, len(p.kills)) for p in points)
    stories = [p.story for p in points if p.story is not None]
    ends = Counter("unknown effect, said so" if s.is_honest else s.ending.status for s in stories)
    ends["not begun"] = len(points) - len(stories)
    told = ", ".join(f"{n} {end}" for end, n in ends.items() if n)
    broken = sum(bool(p.complaints) for p in points)
    return f"{len(points)} points, {kills} kills: {told}; {broken} broke a promise"


if __name__ == "__main__":
    sys.exit(bool(main(*map(int, sys.argv[1:]))))
