"""The loop of a run, with fakes around it: no network, no worker, the real graph and checkpointer."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from easynet.agents.orchestrator import Orchestrator
from easynet.agents.reporter import Reporter
from easynet.agents.work import Services, mentioned
from easynet.assembly import Assembly
from easynet.core.artifact import Artifact
from easynet.core.capability import Capability
from easynet.core.contribution import contribute, contributed
from easynet.core.errors import InputNeeded
from easynet.core.events import Question, RunEvent
from easynet.core.ids import CapabilityName, NodeId, RunId
from easynet.core.intent import Intent
from easynet.core.offer import Offer, Trust
from easynet.core.result import RunResult, replay
from easynet.execution.steering import Steering
from easynet.fabric.client import AsyncClient
from easynet.fabric.wire.decoding import decode_opaque
from easynet.planners.catalogue import CataloguePlanner
from easynet.planners.planner import Planner
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.heft import schedule
from easynet.testing.clock import ManualClock
from easynet.testing.invoker import FakeInvoker
from easynet.testing.journal import MemoryJournal
from easynet.tools.node_discovery import node_discovery

RUN = RunId("20261122-114502-9f3a")


class Leaves:
    """Tea leaves."""


class Tea:
    """A cup of tea."""


@contribute(en="Pick tea leaves from the garden.", price=2)
def pick_leaves(garden: str = "home") -> Leaves:
    return {"garden": garden}  # type: ignore[return-value]  # on the wire, values are plain


@contribute(en="Brew a cup of tea.", price=3)
def brew_tea(leaves: Leaves, sugar: int = 0) -> Tea:
    return {"tea": leaves, "sugar": sugar}  # type: ignore[return-value]  # likewise


@contribute(en="Taste a coffee and judge it.", role="work", price=1)
def taste_coffee(cup: str | None = None) -> Any:
    if cup is None:
        raise InputNeeded("cup", "Which cup?", ["red", "blue"])
    return f"the {cup} cup is good"


@contribute(en="Always break an expensive vase.", price=1)
def break_vase() -> str:
    raise RuntimeError("crash")


FUNCTIONS = {f.__name__: f for f in (pick_leaves, brew_tea, taste_coffee, break_vase)}


class FakeNetwork(FakeInvoker):
    """What a client of a gateway is to a run: every function on one node, or on those of `nodes`."""

    def __init__(self) -> None:
        super().__init__(FUNCTIONS)
        self.nodes = {"n": Trust.OWN}
        self.away: set[str] = set()
        """Functions that are in the catalogue and on no node."""
        self.uploaded: list[Path] = []
        self.offered = {c.name: c for f in FUNCTIONS.values() if (c := contributed(f)) is not None}

    async def capabilities(self) -> list[Capability]:
        return [*self.offered.values()]

    async def upload(self, path: Path) -> Artifact:
        self.uploaded.append(path)
        return Artifact(digest="d" * 64, size_bytes=1, filename=path.name)

    async def find(self, capability: CapabilityName) -> list[Offer]:
        c = self.offered[capability]
        return [
            Offer(node=NodeId(name), capability=c.name, price=c.price, expected_s=1.0, trust=trust)
            for name, trust in self.nodes.items()
            if capability not in self.away
        ]


class Desk:
    """One journal, one checkpoint file, and runs on them, one after the other, as processes would."""

    def __init__(
        self,
        folder: Path,
        orchestrator: Orchestrator,
        planner: Planner | None = None,
        estimates: Estimates | None = None,
    ) -> None:
        self.network = FakeNetwork()
        self.journal = MemoryJournal()
        self.folder = folder
        self.on_event: Callable[[RunEvent], None] = lambda event: None
        self.clock = ManualClock()
        services = Services(
            planner=planner or CataloguePlanner(),
            catalogue=self.network,
            discovery=node_discovery(self.network),
            schedule=schedule,
            journal=self.journal,
            decode=decode_opaque,
            reporter=Reporter(runs_dir=folder, download=self.download),
            clock=self.clock,
            steering=Steering(estimates or Estimates()),
        )
        self._client = cast("AsyncClient", self.network)
        self._orchestrator, self._services = orchestrator, services
        self._assembly = Assembly("", self._client, self.journal, orchestrator, services)

    def plan_with(self, planner: Planner) -> None:
        """Have the runs from now on planned by another planner."""
        services = replace(self._services, planner=planner)
        self._assembly = Assembly("", self._client, self.journal, self._orchestrator, services)

    async def download(self, artifact: Artifact, path: Path) -> None:
        await asyncio.to_thread(path.write_text, artifact.digest)

    async def run(
        self,
        intent: Intent,
        *,
        answers: Mapping[str, Any] | None = None,
        ask: Callable[[Question], str | None] | None = None,
        auto_approve: bool = False,
        approve: Collection[str] = (),
        limits: Mapping[str, str] | None = None,
    ) -> RunResult:
        """Work on the run until it ends."""

        async def asking(question: Question) -> str | None:
            return ask(question) if ask else None

        started = {"intent": intent, "version": "0", "resumed": bool(self.events), "limits": limits or {}}
        await self._assembly.drive(RUN, started, answers or {}, asking, auto_approve, self.on_event, approve)
        return replay(self.events)

    @property
    def events(self) -> list[RunEvent]:
        return self.journal.events(RUN)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Orchestrator(tmp_path / "checkpoints.db") as orchestrator:
        yield Desk(tmp_path / "runs", orchestrator)


async def test_steps_of_a_run_come_in_order(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("brew a cup of tea"))
    assert result.ok, result.problem
    assert result.cost == 5
    kinds = list(dict.fromkeys(e.kind for e in desk.events))
    assert kinds == [
        "run_started",
        "intent_parsed",
        "plan_made",
        "nodes_found",
        "schedule_made",
        "money_reserved",
        "attempt_started",
        "subtask_finished",
        "money_settled",
        "run_finished",
    ]
    assert result.report is not None
    assert result.report.is_file()


async def test_budget_that_does_not_suffice_ends_before_anything_runs(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("brew a cup of tea", constraints={"budget": "4 credits"}))
    assert result.status == "over_budget"
    assert desk.network.calls == []


async def test_deadline_that_cannot_be_met_is_infeasible(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("brew a cup of tea", constraints={"deadline": "1.5 s"}))
    assert result.status == "infeasible"


async def test_request_that_nothing_serves_says_what_is_there(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("asdf qwer zxcv"))
    assert result.problem is not None
    assert result.problem.code == "unsupported"
    assert "Brew a cup of tea" in result.problem.hint


async def test_question_of_a_function_waits_on_disk_for_its_answer(desk: Desk) -> None:
    waiting = await desk.run(Intent.from_text("taste the coffee"))
    assert waiting.status == "needs_input"
    assert waiting.questions == ("Which cup?",)
    answered = await desk.run(Intent.from_text("taste the coffee"), answers={"cup": "red"})
    assert answered.ok, answered.problem
    assert answered.output == "the red cup is good"


async def test_question_that_stays_open_is_asked_again(desk: Desk) -> None:
    await desk.run(Intent.from_text("taste the coffee"))
    again = await desk.run(Intent.from_text("taste the coffee"))
    assert again.status == "needs_input"


async def test_choice_that_the_sentence_names_is_not_asked_for(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("taste the coffee in the Blue cup"))
    assert result.output == "the blue cup is good"
    assert not any(e.kind == "question_asked" for e in desk.events)


async def test_capitals_of_an_answer_do_not_matter(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("taste the coffee"), ask=lambda _: " RED ")
    assert result.output == "the red cup is good"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("total revenue per region", None),
        ("total revenue", "Revenue"),
        ("revenues", None),
        ("按地区汇总", "地区"),
        ("nothing of it", None),
    ],
)
def test_choice_is_mentioned_where_it_stands_alone_and_is_the_only_one(text: str, named: str | None) -> None:
    assert mentioned(["Region", "Revenue", "地区"], text) == named


async def test_answer_that_is_no_choice_is_asked_for_again(desk: Desk) -> None:
    answers = iter(["rad", "red"])
    asked: list[str] = []

    def answer(question: Question) -> str:
        asked.append(question.text)
        return next(answers)

    result = await desk.run(Intent.from_text("taste the coffee"), ask=answer)
    assert result.output == "the red cup is good"
    assert asked == ["Which cup?", "Which cup?\n'rad' is none of them. Did you mean 'red'?"]


async def test_question_is_answered_by_whoever_is_there(desk: Desk) -> None:
    asked: list[Question] = []

    def answer(question: Question) -> str:
        asked.append(question)
        return "blue"

    result = await desk.run(Intent.from_text("taste the coffee"), ask=answer)
    assert result.output == "the blue cup is good"
    assert [(q.name, q.choices) for q in asked] == [("cup", ("red", "blue"))]


@pytest.mark.parametrize(
    ("answer", "status"), [("yes", "succeeded"), ("no", "cancelled"), (None, "needs_input")]
)
async def test_others_nodes_see_nothing_before_someone_agrees(
    desk: Desk, answer: str | None, status: str
) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    seen: list[int] = []

    def decide(question: Question) -> str | None:
        seen.append(len(desk.network.calls))
        return answer

    result = await desk.run(Intent.from_text("brew a cup of tea"), ask=decide)
    assert result.status == status
    assert seen == [0]
    assert bool(desk.network.calls) == (answer == "yes")


async def test_agreement_beforehand_is_not_asked_for_again(desk: Desk) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    result = await desk.run(Intent.from_text("brew a cup of tea"), auto_approve=True)
    assert result.ok
    assert not any(e.kind == "approval_requested" for e in desk.events)


async def test_private_data_goes_to_no_strangers_node(desk: Desk) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    intent = Intent.from_text("brew a cup of tea", constraints={"privacy": "high"})
    result = await desk.run(intent, auto_approve=True)
    assert result.problem is not None
    assert result.problem.code == "no_node_found"
    assert desk.network.calls == []


async def test_failure_of_a_function_ends_the_run_with_its_words(desk: Desk) -> None:
    result = await desk.run(Intent.from_text("break the expensive vase"))
    assert result.status == "failed"
    assert result.problem is not None
    assert "crash" in result.problem.message
    assert result.cost == 0


async def test_resumed_run_does_not_repeat_what_is_done(desk: Desk) -> None:
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    failed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert failed.status == "failed"
    desk.network.functions = FUNCTIONS
    resumed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert resumed.ok, resumed.problem
    assert [c.capability for c in desk.network.calls].count(CapabilityName("pick_leaves")) == 1
    assert resumed.cost == 5


async def test_what_failed_for_good_is_planned_around(desk: Desk) -> None:
    @contribute(en="Buy tea leaves at the market.", price=4)
    def buy_leaves() -> Leaves:
        return {"bought": True}  # type: ignore[return-value]  # on the wire, values are plain

    offered = contributed(buy_leaves)
    assert offered is not None
    desk.network.offered[offered.name] = offered
    desk.network.functions = {**FUNCTIONS, "buy_leaves": buy_leaves, "pick_leaves": break_vase}
    result = await desk.run(Intent.from_text("brew a cup of tea"))
    assert result.ok, result.problem
    assert [e.kind for e in desk.events].count("replanned") == 1
    assert result.cost == 7
    assert result.plan is not None
    assert set(result.plan.capabilities) == {"buy_leaves", "brew_tea"}


async def test_strangers_node_is_not_turned_to_when_an_own_one_fails(desk: Desk) -> None:
    desk.network.nodes = {"mine": Trust.OWN, "stranger": Trust.PUBLIC}
    desk.network.down = {"mine"}
    result = await desk.run(Intent.from_text("brew a cup of tea"))
    assert result.status == "failed"
    assert {c.node for c in desk.network.calls} == {"mine"}


async def test_both_nodes_serve_once_that_was_agreed_to(desk: Desk) -> None:
    desk.network.nodes = {"mine": Trust.OWN, "stranger": Trust.PUBLIC}
    desk.network.down = {"mine"}
    result = await desk.run(Intent.from_text("brew a cup of tea"), auto_approve=True)
    assert result.ok, result.problem


async def test_agreement_beforehand_outlives_the_process(desk: Desk) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    await desk.run(Intent.from_text("brew a cup of tea"), auto_approve=True)
    desk.network.functions = FUNCTIONS
    resumed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert resumed.ok, resumed.problem


async def test_agreement_outlives_the_process(desk: Desk) -> None:
    desk.network.nodes = {"stranger": Trust.PUBLIC}
    desk.network.functions = {**FUNCTIONS, "brew_tea": break_vase}
    await desk.run(Intent.from_text("brew a cup of tea"), ask=lambda _: "yes")
    desk.network.functions = FUNCTIONS
    resumed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert resumed.ok, resumed.problem


@pytest.mark.parametrize(
    "value",
    [
        {1: "a"},
        {"x": float("nan")},
        float("inf"),
        {"metrics": {"auc": float("nan"), "f1": "high"}, "intervals": {"auc": [None, 2]}},
        b"\x00",
    ],
)
async def test_any_result_leaves_a_journal_that_can_be_read(desk: Desk, value: Any) -> None:
    desk.network.functions = {**FUNCTIONS, "taste_coffee": lambda **_: value}
    result = await desk.run(Intent.from_text("taste the coffee"))
    assert result.ok, result.problem
    assert replay(desk.events) == result


async def test_files_of_one_name_and_of_our_names_are_all_kept(desk: Desk) -> None:
    files = [
        Artifact(digest="a" * 64, size_bytes=1, filename="plot.png"),
        Artifact(digest="b" * 64, size_bytes=1, filename="plot.png"),
        Artifact(digest="c" * 64, size_bytes=1, filename="report.html"),
    ]
    desk.network.functions = {**FUNCTIONS, "taste_coffee": lambda **_: files}
    result = await desk.run(Intent.from_text("taste the coffee"))
    assert sorted(p.read_text()[0] for p in result.files.values()) == ["a", "b", "c"]
    assert result.report is not None
    assert result.report.read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", "..", "a\\b", "a\nb"])
def test_file_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Artifact(digest="a" * 64, size_bytes=1, filename=name)


async def test_run_whose_results_cannot_be_written_ends_and_says_where(desk: Desk) -> None:
    desk.folder.write_text("a file where the folder should be")
    failed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert failed.status == "failed"
    assert failed.problem is not None
    assert str(desk.folder) in failed.problem.message
    desk.folder.unlink()
    resumed = await desk.run(Intent.from_text("brew a cup of tea"))
    assert resumed.ok
    assert len(desk.network.calls) == 2


@contribute(en="Pay an invoice to a supplier.")
def pay_invoice(amount: int) -> str:
    raise PermissionError("the bank refused")


@contribute(en="Cancel an invoice of a supplier.")
def cancel_invoice(amount: int) -> str:
    return f"cancelled {amount}"


async def test_goal_that_failed_is_not_replaced_by_something_like_it(desk: Desk) -> None:
    both = {f.__name__: f for f in (pay_invoice, cancel_invoice)}
    desk.network.functions = both
    desk.network.offered = {c.name: c for f in both.values() if (c := contributed(f)) is not None}
    intent = Intent.from_text("pay an invoice to a supplier", input_data={"amount": 5})
    result = await desk.run(intent)
    assert result.status == "failed"
    assert result.problem is not None
    assert "the bank refused" in result.problem.message
    assert {c.capability for c in desk.network.calls} == {"pay_invoice"}


async def test_file_that_the_words_name_is_taken_in(desk: Desk, tmp_path: Path) -> None:
    @contribute(en="Count the words of a text file.")
    def count_words(file: Path) -> int:
        return 3

    offered = contributed(count_words)
    assert offered is not None
    desk.network.offered = {offered.name: offered}
    desk.network.functions = {"count_words": lambda file: 3}
    document = tmp_path / "words.txt"
    document.write_text("one two three")
    result = await desk.run(Intent.from_text(f"count the words in {document}"))
    assert result.ok, result.problem
    assert desk.network.uploaded == [document]
