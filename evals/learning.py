"""What a user sees of learning, on a real network with real runs: `python -m evals.learning`.

Functions are registered on a node that joins an embedded network. One is asked for in words at once. One
needs something that the words do not say, so that the user is asked. Two belong together, which no
description says: ten runs are planned by hand. Then comes an eleventh.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from easynet import ComputeNode, IntelligentNetwork, Intent
from easynet.core.events import IntentParsed, PlanMade, Question, QuestionAsked, RunEvent
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.result import replay
from easynet.core.task_graph import FromSubtask, Given, Subtask, TaskGraph
from easynet.planners.experience_store import SqliteExperience
from easynet.planners.experience_upkeep import ModelFile
from easynet.planners.literals import literals
from easynet.planners.planner import Planner, PlanRequest, PlanResult

NODE = "village"
RUNS = 10
_PATIENCE_S, _POLL_S = 30.0, 0.05
_NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "June", "Kai")


@dataclass(frozen=True)
class Seen:
    """What one run showed."""

    planner: str
    steps: tuple[str, ...]
    questions: int
    plan_ms: float
    """From the words being understood to the plan, without the time that an answer took."""
    output: object
    links: tuple[tuple[str, str], ...]
    similar_runs: int

    @property
    def line(self) -> str:
        how = f"planned by {self.planner} in {self.plan_ms:.1f} ms, {self.questions} question(s)"
        joined = "; ".join(f"{b} reads {a}" for a, b in self.links) or "no links"
        return f"{how}: {' + '.join(self.steps)} ({joined}) gives {self.output!r}"


class ByHand:
    """Somebody who knows that a parcel is weighed before its stamp is chosen."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        by_name = {c.name: c for c in request.catalogue}
        weigh, stamp = CapabilityName("weigh_parcel"), CapabilityName("choose_stamp")
        stated = literals(by_name[weigh], request.parsed.text)
        first = Subtask(
            id=SubtaskId(weigh), capability=weigh, arguments={n: Given(value=v) for n, v in stated.items()}
        )
        then = Subtask(
            id=SubtaskId(stamp), capability=stamp, arguments={"grams": FromSubtask(subtask=first.id)}
        )
        return PlanResult(
            status="planned", planner="by hand", graph=TaskGraph(subtasks=(first, then), outputs=(then.id,))
        )


def register(node: ComputeNode) -> None:
    """Offer the functions of this demonstration."""

    @node.register
    def frost_risk(coldest: float) -> str:
        """Rate the risk of frost for the vines from the coldest temperature of the night."""
        return "high" if coldest < -2 else "low"

    @node.register
    def book_ferry(passengers: int, harbour: str) -> str:
        """Book a ferry across the lake for some passengers."""
        return f"{passengers} seats from {harbour}"

    @node.register
    def weigh_parcel(parcel: int) -> int:
        """Weigh a parcel on the scales, in grams."""
        return parcel * 7

    @node.register
    def choose_stamp(grams: int) -> str:
        """Choose the stamp for a letter or parcel by its weight."""
        return "large" if grams > 500 else "small"


async def run(network: IntelligentNetwork, words: str, **answers: str) -> Seen:
    """Do what the words say, answering questions from `answers`."""
    waited_s = 0.0

    async def ask(question: Question) -> str | None:
        nonlocal waited_s
        began = time.time()
        await asyncio.sleep(0)
        waited_s += time.time() - began
        return answers.get(question.name)

    events = [event async for event in network.stream(Intent.from_text(words), ask=ask)]
    return _seen(events, waited_s)


def _seen(events: Sequence[RunEvent], waited_s: float) -> Seen:
    result = replay(events)
    made = next((e for e in events if isinstance(e, PlanMade)), None)
    if made is None or not result.ok:
        raise RuntimeError(f"the run ended {result.status}: {result.problem}")
    began = next(e.at for e in events if isinstance(e, IntentParsed))
    graph = made.graph
    links = tuple((graph.by_id[a].capability, s.capability) for s in graph.subtasks for a in sorted(s.needs))
    return Seen(
        planner=made.planner,
        steps=graph.capabilities,
        questions=sum(isinstance(e, QuestionAsked) for e in events),
        plan_ms=(made.at - began - waited_s) * 1000,
        output=result.output,
        links=links,
        similar_runs=made.similar_runs,
    )


async def new_function(folder: Path) -> Seen:
    """A function is asked for as soon as it is registered."""
    async with _village(folder) as network:
        return await run(network, "rate the frost risk for my vines, coldest = -4")


async def answered(folder: Path) -> tuple[Seen, Seen]:
    """The first and the eleventh request of a kind for which something has to be asked."""
    async with _village(folder) as network:
        kind = "book the ferry across the lake, passengers = {}"
        seen = [await run(network, kind.format(n), harbour="Lindau") for n in range(2, RUNS + 3)]
    return seen[0], seen[-1]


async def linked(folder: Path) -> tuple[Seen | str, Seen]:
    """What descriptions alone make of a request, and what is made of it after ten runs planned by hand."""
    kind = "get parcel = {} of {} ready for the post with the right stamp"
    eleventh = kind.format(110, _NAMES[RUNS])
    async with _village(folder / "before") as network:
        try:
            before: Seen | str = await run(network, eleventh)
        except RuntimeError as error:
            before = str(error)
    async with _village(folder, ByHand()) as network:
        for number, name in enumerate(_NAMES[:RUNS]):
            await run(network, kind.format(60 + 5 * number, name))
    await asyncio.to_thread(_wait_until_learned, folder / "experience.db")
    async with _village(folder) as network:
        return before, await run(network, eleventh)


def _wait_until_learned(store: Path) -> None:
    """Wait until the process that learns in the background has learned from all runs."""
    with closing(SqliteExperience(store)) as runs:
        until = time.monotonic() + _PATIENCE_S
        while ModelFile(store).may_be_outdated(runs.version()) and time.monotonic() < until:
            time.sleep(_POLL_S)


@asynccontextmanager
async def _village(folder: Path, planner: Planner | None = None) -> AsyncGenerator[IntelligentNetwork]:
    """An embedded network with the functions, that remembers what was done in this folder."""
    async with (
        IntelligentNetwork("embedded", data_dir=folder, planner=planner) as network,
        ComputeNode(network.url, name=NODE, data_dir=folder) as node,
    ):
        register(node)
        yield network


async def main() -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        print("A function registered a moment ago")
        print(f"  {(await new_function(home / 'new')).line}\n")
        first, eleventh = await answered(home / "answered")
        print("A kind of request for which something has to be asked")
        print(f"  first:    {first.line}\n  eleventh: {eleventh.line}\n")
        before, after = await linked(home / "linked")
        print("A kind of request whose plan no description tells, after ten runs planned by hand")
        print(f"  before:   {before if isinstance(before, str) else before.line}\n  eleventh: {after.line}")


if __name__ == "__main__":
    asyncio.run(main())
