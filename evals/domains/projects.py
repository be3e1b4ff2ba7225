"""Projects with tasks that wait for each other."""

import random
from typing import Any, TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_SIMULATIONS = 15_000


class Task(TypedDict):
    """A task of a project: its shortest, likely and longest time in days, and what it waits for."""

    name: str
    days: list[float]
    after: list[str]


class Project(TypedDict):
    """Tasks in an order in which they can be done."""

    tasks: list[Task]


class CriticalPath(TypedDict):
    """The tasks that decide when a project ends."""

    tasks: list[str]
    days: float


class Slack(TypedDict):
    """Days by which a task may be late without harm."""

    names: list[str]
    days: list[float]


class DurationRange(TypedDict):
    """How long a project takes, in one case of ten, of two, and in nine of ten."""

    p10: float
    p50: float
    p90: float


class StaffPlan(TypedDict):
    """How many people work on each day."""

    people: list[int]
    most: int


class ProjectForecast(TypedDict):
    """When a project will be done, and what decides it."""

    days: float
    careful_days: float
    decisive: list[str]
    relaxed: int
    people: int


@contribute(
    en="Read the tasks of a project: their days, and what each waits for.",
    zh="读取项目任务：各任务的天数和前置任务。",
    specialization="timetables",
    tags=("project", "tasks", "dependencies", "项目", "任务", "工期"),
    price=1,
    expected_s=0.02,
)
def read_project(tasks: list[dict[str, Any]]) -> Project:
    left = {
        str(t["name"]): Task(
            name=str(t["name"]),
            days=sorted(float(d) for d in t["days"]),
            after=[str(a) for a in t.get("after", [])],
        )
        for t in tasks
    }
    ordered: list[Task] = []
    while left:
        done = {t["name"] for t in ordered}
        ready = [t for t in left.values() if done.issuperset(t["after"])]
        if not ready:
            raise BadData(f"the tasks {', '.join(left)} wait for each other, or for a task that is not there")
        ordered += ready
        for task in ready:
            del left[task["name"]]
    return {"tasks": ordered}


def _ends(tasks: list[Task], days: list[float]) -> dict[str, float]:
    ends: dict[str, float] = {}
    for task, took in zip(tasks, days, strict=True):
        ends[task["name"]] = max((ends[a] for a in task["after"]), default=0.0) + took
    return ends


def _likely(task: Task) -> float:
    return task["days"][len(task["days"]) // 2]


@contribute(
    en="Find the critical path of a project.",
    zh="求项目的关键路径。",
    specialization="timetables",
    tags=("critical path", "longest chain", "关键路径", "最长路径"),
    examples=("which tasks decide when the project is done?", "哪些任务决定工期"),
    price=3,
    expected_s=0.05,
)
def critical_path(project: Project) -> CriticalPath:
    tasks = project["tasks"]
    ends = _ends(tasks, [_likely(t) for t in tasks])
    by_name = {t["name"]: t for t in tasks}
    at = max(ends, key=lambda n: ends[n])
    path = [at]
    while by_name[at]["after"]:
        at = max(by_name[at]["after"], key=lambda n: ends[n])
        path.insert(0, at)
    return {"tasks": path, "days": round(max(ends.values()), 3)}


@contribute(
    en="Compute the slack of each project task.",
    zh="计算各项目任务的时差。",
    specialization="timetables",
    tags=("slack", "float", "时差", "机动时间"),
    examples=("which tasks may be late?", "哪些任务可以拖几天"),
    price=2,
    expected_s=0.05,
)
def task_slack(project: Project) -> Slack:
    tasks = project["tasks"]
    ends = _ends(tasks, [_likely(t) for t in tasks])
    latest = dict.fromkeys(ends, max(ends.values()))
    for task in reversed(tasks):
        for name in task["after"]:
            latest[name] = min(latest[name], latest[task["name"]] - _likely(task))
    return {"names": [*ends], "days": [round(latest[n] - ends[n], 3) for n in ends]}


@contribute(
    en="Simulate how long a project takes when its tasks take their shortest to longest times.",
    zh="模拟项目工期：任务耗时在最短与最长之间变化。",
    specialization="timetables",
    tags=("simulate project", "uncertainty", "模拟工期", "不确定"),
    examples=("how sure is the end of the project?", "项目延期的可能有多大"),
    price=6,
    expected_s=0.4,
)
def simulate_project(project: Project) -> DurationRange:
    tasks, rng = project["tasks"], random.Random(6)
    lengths = sorted(
        max(_ends(tasks, [rng.triangular(t["days"][0], t["days"][-1], _likely(t)) for t in tasks]).values())
        for _ in range(_SIMULATIONS)
    )
    p10, p50, p90 = (round(lengths[int(share * _SIMULATIONS)], 2) for share in (0.1, 0.5, 0.9))
    return {"p10": p10, "p50": p50, "p90": p90}


@contribute(
    en="Count how many people a project needs on each day.",
    zh="统计项目每天需要的人数。",
    specialization="timetables",
    tags=("staff", "people", "人手", "人数", "人力"),
    examples=("how many people do we need for the project?", "项目需要多少人手"),
    price=2,
    expected_s=0.05,
)
def staff_project(project: Project) -> StaffPlan:
    tasks = project["tasks"]
    ends = _ends(tasks, [_likely(t) for t in tasks])
    spans = [(ends[t["name"]] - _likely(t), ends[t["name"]]) for t in tasks]
    people = [sum(a < day + 0.5 <= b for a, b in spans) for day in range(int(max(ends.values())) + 1)]
    return {"people": people, "most": max(people)}


@contribute(
    en="Forecast when a project will be done: critical path, uncertainty, slack and staff together.",
    zh="预测项目完工时间：关键路径、不确定性、时差和人手合在一起。",
    specialization="timetables",
    tags=("project forecast", "finish date", "完工", "项目预测", "完工时间"),
    examples=("when will the project be finished?", "项目什么时候能完工"),
    price=4,
    expected_s=0.05,
)
def forecast_project(
    path: CriticalPath, simulated: DurationRange, slack: Slack, staff: StaffPlan
) -> ProjectForecast:
    return {
        "days": path["days"],
        "careful_days": simulated["p90"],
        "decisive": path["tasks"],
        "relaxed": sum(d > 0 for d in slack["days"]),
        "people": staff["most"],
    }
