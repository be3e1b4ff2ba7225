"""Runs as a journal keeps them, made up for tests of whatever shows or reads events."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from easynet.core.artifact import Artifact
from easynet.core.events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    Event,
    IntentParsed,
    MoneyReserved,
    MoneySettled,
    NodesFound,
    PlanMade,
    Problem,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.language import Language, say
from easynet.core.offer import Offer
from easynet.core.schedule import Assignment, Schedule
from easynet.core.task_graph import Binding, FromSubtask, Gathered, Subtask, TaskGraph

RUN = RunId("20261122-114502-9f3a")
_START = 1_795_347_902.0


@dataclass(frozen=True)
class _Step:
    id: str
    en: str
    zh: str
    node: str
    seconds: float
    needs: tuple[str, ...] = ()

    @property
    def price(self) -> int:
        return 5 if self.node == "medical" and self.seconds > 2 else 2


_STEPS = (
    _Step("load", "Load the breast-cancer table", "读取乳腺癌数据表", "analysis", 0.4, ()),
    _Step("profile", "Describe each column", "描述每一列", "analysis", 0.5, ("load",)),
    _Step("clean", "Clean the table", "清洗数据表", "analysis", 0.3, ("load",)),
    _Step(
        "split",
        "Split into training, validation and test",
        "划分训练集、验证集和测试集",
        "analysis",
        0.2,
        ("clean",),
    ),
    _Step(
        "one_class",
        "Train one-class detectors on normal cases only",
        "仅用正常样本训练单类检测器",
        "medical",
        3.4,
        ("split",),
    ),
    _Step("supervised", "Train supervised detectors", "训练有监督检测器", "medical", 2.6, ("split",)),
    _Step(
        "choose",
        "Choose the model on validation data",
        "在验证集上选择模型",
        "medical",
        0.6,
        ("one_class", "supervised"),
    ),
    _Step(
        "evaluate", "Evaluate once on test data", "在测试集上评估一次", "medical", 1.1, ("choose", "split")
    ),
    _Step(
        "plots",
        "Draw ROC curve and score histogram",
        "绘制 ROC 曲线与得分直方图",
        "reporting",
        1.2,
        ("evaluate",),
    ),
    _Step("trend", "Check for drift over time", "检查随时间的漂移", "forecasting", 0.7, ("clean",)),
    _Step("save", "Save the model", "保存模型", "medical", 0.2, ("choose",)),
    _Step(
        "report",
        "Write the report",
        "撰写报告",
        "reporting",
        0.3,
        ("plots", "profile", "trend", "save", "load"),
    ),
)


class RunScript:
    """Writes the events of a run, one after another."""

    def __init__(self, run_id: RunId = RUN, start_at: float = _START) -> None:
        self.events: list[RunEvent] = []
        self._run_id = run_id
        self._start_at = start_at

    def add(self, event: type[Event], after_s: float, **fields: Any) -> None:
        """One more event, `after_s` seconds after the start."""
        seq, at = len(self.events), self._start_at + after_s
        self.events.append(event(run_id=self._run_id, seq=seq, at=at, **fields))  # type: ignore[arg-type] # a member

    def add_in_order(self, events: Iterable[RunEvent]) -> None:
        """Events of other scripts, by their times."""
        for event in sorted(events, key=lambda e: e.at):
            self.events.append(event.model_copy(update={"seq": len(self.events)}))

    def attempt(
        self, step: str, node: str, start_s: float, end_s: float, *, number: int = 1, price: int = 2
    ) -> None:
        """An attempt that succeeds, with its money and one word of progress."""
        key = {"subtask": step, "attempt": number}
        self.add(MoneyReserved, start_s, **key, amount=price)
        self.add(AttemptStarted, start_s, **key, node=node)
        middle = (start_s + end_s) / 2
        self.add(AttemptProgressed, middle, **key, fraction=0.5, message="fold 3 of 5")
        self.add(SubtaskFinished, end_s, **key, node=node, duration_s=round(end_s - start_s, 3))
        self.add(MoneySettled, end_s, **key, paid=price, returned=0)

    def failure(
        self, step: str, node: str, start_s: float, end_s: float, *, number: int = 1, will_retry: bool
    ) -> None:
        """An attempt that fails and gets its money back."""
        key = {"subtask": step, "attempt": number}
        problem = Problem(code="node_unreachable", message=f"{node} went away before it answered")
        self.add(MoneyReserved, start_s, **key, amount=2)
        self.add(AttemptStarted, start_s, **key, node=node)
        self.add(AttemptFailed, end_s, **key, node=node, problem=problem, will_retry=will_retry)
        self.add(MoneySettled, end_s, **key, paid=0, returned=2)


def example_run(
    language: Language = "en",
    ending: Literal["succeeded", "failed", "interrupted"] = "succeeded",
    folder: str = "",
) -> list[RunEvent]:
    """Twelve steps on four nodes. One attempt fails: on another node it succeeds, or the run ends there."""
    script = RunScript()
    text = say(language, "train a medical anomaly detector", "训练一个医学异常检测模型")
    script.add(RunStarted, 0.0, intent=Intent(description=text), version="0.1.0")
    script.add(IntentParsed, 0.02, parsed=ParsedIntent(text=text, language=language))
    graph = _graph()
    caveat = say(
        language,
        "The words may mean images; this plan works on a table of measurements.",
        "原话可能指影像；本计划处理的是测量数据表。",
    )
    titles = {CapabilityName(s.id): say(language, s.en, s.zh) for s in _STEPS}
    script.add(PlanMade, 0.1, graph=graph, planner="catalogue", titles=titles, caveats=(caveat,))
    offers = {
        CapabilityName(s.id): (
            Offer(node=NodeId(s.node), capability=CapabilityName(s.id), price=s.price, expected_s=s.seconds),
        )
        for s in _STEPS
    }
    script.add(NodesFound, 0.15, offers=offers)
    script.add(ScheduleMade, 0.2, schedule=_schedule())
    ends = _run_steps(script, ending)
    if ending == "interrupted":
        return script.events
    if ending == "failed":
        problem = Problem(
            code="subtask_failed",
            message="“Train supervised detectors” failed on medical and on spare",
            hint="See whether the nodes are up: easynet nodes",
        )
        script.add(RunFinished, ends, status="failed", problem=problem, duration_s=ends, folder=folder)
        return script.events
    script.add(
        RunFinished,
        ends,
        status="succeeded",
        headline=_headline(language),
        metrics={
            "auc": 0.953,
            "auc_low": 0.907,
            "auc_high": 0.986,
            "sensitivity": 0.829,
            "specificity": 0.944,
        },
        files={"detector.skops": Artifact(digest="ab" * 32, size_bytes=2_900_000, filename="detector.skops")},
        folder=folder,
        duration_s=ends,
    )
    return script.events


def rivals_run(language: Language = "en") -> list[RunEvent]:
    """Two steps: a second attempt at the one overtakes the first; a second node confirms the other."""
    script = RunScript()
    text = say(language, "do a and b", "先做甲再做乙")
    script.add(RunStarted, 0.0, intent=Intent(description=text), version="0.1.0")
    subtasks = tuple(Subtask(id=SubtaskId(i), capability=CapabilityName(i)) for i in ("a", "b"))
    graph = TaskGraph(subtasks=subtasks)
    script.add(PlanMade, 0.0, graph=graph, planner="catalogue", titles={s.capability: s.id for s in subtasks})
    script.add(AttemptStarted, 0.0, subtask="a", attempt=1, node="slow")
    script.add(AttemptStarted, 1.0, subtask="a", attempt=2, node="swift", reason="hedge")
    script.add(SubtaskFinished, 2.0, subtask="a", attempt=2, node="swift", duration_s=1.0)
    script.add(AttemptCancelled, 2.0, subtask="a", attempt=1, node="slow", why="superseded")
    script.add(AttemptStarted, 2.0, subtask="b", attempt=1, node="first")
    script.add(AttemptStarted, 3.0, subtask="b", attempt=2, node="other", reason="opinion")
    done = {"subtask": "b", "attempt": 1, "node": "first", "duration_s": 1.0}
    script.add(SubtaskFinished, 4.0, **done, confirmed_by=("other",))
    script.add(RunFinished, 4.0, status="succeeded", duration_s=4.0)
    return script.events


def wide_run(steps: int, layers: int = 4, language: Language = "en") -> list[RunEvent]:
    """Many small steps in layers, each layer's steps reading one or two of the layer before."""
    script = RunScript()
    text = f"square {steps} numbers"
    script.add(RunStarted, 0.0, intent=Intent(description=text), version="0.1.0")
    script.add(IntentParsed, 0.0, parsed=ParsedIntent(text=text, language=language))
    width = max(1, -(-steps // layers))
    subtasks: list[Subtask] = []
    for n in range(steps):
        before = [m for m in (n - width, n - width - 1) if m >= 0 and m // width == n // width - 1]
        items = tuple(FromSubtask(subtask=SubtaskId(f"t{m}")) for m in before)
        arguments: dict[str, Binding] = {"numbers": Gathered(items=items)} if items else {}
        capability = CapabilityName(f"square_{n // width % 3}")
        subtasks.append(Subtask(id=SubtaskId(f"t{n}"), capability=capability, arguments=arguments))
    titles = {s.capability: f"Square numbers, variant {s.capability[-1]}" for s in subtasks}
    graph = TaskGraph(subtasks=tuple(subtasks))
    script.add(PlanMade, 0.1, graph=graph, planner="catalogue", titles=titles)
    calls = RunScript()
    for n in range(steps):
        start = 0.2 + n // width * 0.5 + n % width % 7 * 0.03
        calls.attempt(f"t{n}", f"node-{n % 8}", start, start + 0.25, price=1)
    script.add_in_order(calls.events)
    end = 1.0 + layers * 0.5
    script.add(RunFinished, end, status="succeeded", headline=("Numbers: given in the plan",), duration_s=end)
    return script.events


def _graph() -> TaskGraph:
    subtasks = [
        Subtask(
            id=SubtaskId(s.id),
            capability=CapabilityName(s.id),
            arguments={f"from_{n}": FromSubtask(subtask=SubtaskId(n)) for n in s.needs},
        )
        for s in _STEPS
    ]
    return TaskGraph(subtasks=tuple(subtasks), outputs=(SubtaskId("report"), SubtaskId("save")))


def _schedule() -> Schedule:
    ends: dict[str, float] = {}
    assignments: list[Assignment] = []
    for s in _STEPS:
        start = max((ends[n] for n in s.needs), default=0.0)
        ends[s.id] = start + s.seconds
        assignments.append(
            Assignment(
                subtask=SubtaskId(s.id),
                node=NodeId(s.node),
                price=s.price,
                starts_s=start,
                ends_s=ends[s.id],
            )
        )
    return Schedule(assignments=tuple(assignments))


def _run_steps(script: RunScript, ending: str) -> float:
    """Play the steps out; events come in the order of their times."""
    ends: dict[str, float] = {}
    own = RunScript()
    for s in _STEPS:
        if any(n not in ends for n in s.needs):
            continue
        i, node = s.id, s.node
        start = 0.3 + max((ends[n] for n in s.needs), default=0.0)
        if i == "supervised" and ending == "interrupted":
            own.add(AttemptStarted, start, subtask=i, attempt=1, node=node)
            own.add(AttemptProgressed, start + 0.8, subtask=i, attempt=1, fraction=0.4, message="boosting")
        elif i == "supervised":
            own.failure(i, node, start, start + 0.8, will_retry=True)
            if ending == "failed":
                own.failure(i, "spare", start + 0.9, start + 1.9, number=2, will_retry=False)
            else:
                ends[i] = start + 0.9 + s.seconds
                own.attempt(i, "spare", start + 0.9, ends[i], number=2, price=s.price)
        else:
            ends[i] = start + s.seconds
            own.attempt(i, node, start, ends[i], price=s.price)
    script.add_in_order(own.events)
    return script.events[-1].at - _START + 0.1


def _headline(language: Language) -> tuple[str, ...]:
    if language == "zh":
        return (
            "演示数据：威斯康星乳腺癌数据集（569 行测量值），不是您的数据。",
            "测试集 AUC 为 0.953（95% 置信区间 0.907–0.986）：隔离森林。",
            "在 5% 的误报率下，能发现 83% 的恶性病例。",
        )
    return (
        "Demo data: Wisconsin breast-cancer measurements (569 rows of a table), not yours.",
        "Test AUC 0.953 (95% interval 0.907 to 0.986) with a one-class SVM trained on normal cases only.",
        "It finds 83% of the malignant cases at about 5% false alarms.",
        "Four of five models overlap within their intervals; the choice between them is not certain.",
    )
