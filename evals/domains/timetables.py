"""Timetables of a school, and projects with tasks that wait for each other."""

import random
from collections import Counter
from itertools import combinations
from typing import TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_HOURS_A_DAY = 6
_TRIES = 1_200
_SIMULATIONS = 15_000


class Lesson(TypedDict):
    """An hour that a teacher gives to a class."""

    name: str
    teacher: str
    form: str


class Lessons(TypedDict):
    """Lessons that were checked."""

    lessons: list[Lesson]


class Conflicts(TypedDict):
    """Pairs of lessons that cannot be at the same time."""

    pairs: list[list[int]]
    most: int


class Timetable(TypedDict):
    """The slot of each lesson; six a day."""

    slots: list[int]
    days: int


class RoomPlan(TypedDict):
    """The room of each lesson."""

    rooms: list[str]
    needed: int


class IdleHours(TypedDict):
    """Free hours between the lessons of one day, by class."""

    by_form: dict[str, int]
    total: int


class TeacherLoad(TypedDict):
    """Lessons that each teacher gives."""

    by_teacher: dict[str, int]
    busiest: str


class WeekPlan(TypedDict):
    """A timetable that can be put up."""

    lines: list[str]
    rooms: int
    idle_hours: int
    busiest: str


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
    en="Read the lessons of a school: subject, teacher and class of each.",
    zh="读取学校课程：每节课的科目、教师和班级。",
    specialization="timetables",
    tags=("lessons", "school", "courses", "课程", "学校", "教师"),
    price=1,
    expected_s=0.02,
)
def read_lessons(lessons: list[dict]) -> Lessons:  # type: ignore[type-arg]  # as users give them
    found = [Lesson(name=str(x["name"]), teacher=str(x["teacher"]), form=str(x["form"])) for x in lessons]
    if not found:
        raise BadData("a timetable needs lessons")
    return {"lessons": found}


@contribute(
    en="Find lessons that cannot be at the same time.",
    zh="找出不能同时上的课程。",
    specialization="timetables",
    tags=("conflicts", "clashes", "冲突", "撞课"),
    examples=("which lessons clash?", "哪些课会冲突"),
    price=1,
    expected_s=0.05,
)
def find_clashes(lessons: Lessons) -> Conflicts:
    rows = lessons["lessons"]
    pairs = [
        [i, j]
        for i, j in combinations(range(len(rows)), 2)
        if rows[i]["teacher"] == rows[j]["teacher"] or rows[i]["form"] == rows[j]["form"]
    ]
    return {"pairs": pairs, "most": max(Counter(i for p in pairs for i in p).values(), default=0)}


@contribute(
    en="Make a school timetable: give each lesson an hour without clashes.",
    zh="编排学校课表：给每节课安排不冲突的时间。",
    specialization="timetables",
    tags=("timetable", "schedule lessons", "课表", "排课", "课程表"),
    examples=("arrange the lessons of the week", "给学校排课"),
    price=6,
    expected_s=0.3,
)
def make_timetable(lessons: Lessons, conflicts: Conflicts) -> Timetable:
    """By colouring the graph of clashes in many random orders, the most constrained first (Brélaz, 1979)."""
    count, rng = len(lessons["lessons"]), random.Random(5)
    near: list[set[int]] = [set() for _ in range(count)]
    for i, j in conflicts["pairs"]:
        near[i].add(j)
        near[j].add(i)
    best = [*range(count)]
    for _ in range(_TRIES):
        slots = _coloured(near, [rng.random() for _ in range(count)])
        if max(slots) < max(best):
            best = slots
    return {"slots": best, "days": max(best) // _HOURS_A_DAY + 1}


def _coloured(near: list[set[int]], luck: list[float]) -> list[int]:
    slots = [-1] * len(near)
    taken: list[set[int]] = [set() for _ in near]
    left = {*range(len(near))}
    while left:
        at = max(left, key=lambda i: (len(taken[i]), len(near[i]), luck[i]))
        left.remove(at)
        slots[at] = next(s for s in range(len(near)) if s not in taken[at])
        for other in near[at]:
            taken[other].add(slots[at])
    return slots


@contribute(
    en="Assign a classroom to each lesson of a timetable.",
    zh="为课表中的每节课分配教室。",
    specialization="timetables",
    tags=("rooms", "classroom", "教室", "分配教室"),
    examples=("how many classrooms do we need?", "需要几间教室"),
    price=2,
    expected_s=0.05,
)
def assign_rooms(timetable: Timetable) -> RoomPlan:
    used: Counter[int] = Counter()
    rooms: list[str] = []
    for slot in timetable["slots"]:
        used[slot] += 1
        rooms.append(f"R{used[slot]}")
    return {"rooms": rooms, "needed": max(used.values())}


@contribute(
    en="Count the free hours between the lessons of each class.",
    zh="统计各班课间的空闲课时。",
    specialization="timetables",
    tags=("idle hours", "gaps", "free hours", "空闲", "空堂", "课时"),
    examples=("how many free hours do the classes have?", "各班有多少空堂"),
    price=2,
    expected_s=0.05,
)
def count_idle_hours(lessons: Lessons, timetable: Timetable) -> IdleHours:
    by_day: dict[tuple[str, int], list[int]] = {}
    for lesson, slot in zip(lessons["lessons"], timetable["slots"], strict=True):
        by_day.setdefault((lesson["form"], slot // _HOURS_A_DAY), []).append(slot)
    idle: Counter[str] = Counter()
    for (form, _), slots in by_day.items():
        idle[form] += max(slots) - min(slots) + 1 - len(slots)
    return {"by_form": dict(sorted(idle.items())), "total": sum(idle.values())}


@contribute(
    en="Count the lessons that each teacher gives.",
    zh="统计每位教师的课时量。",
    specialization="timetables",
    tags=("teacher load", "workload", "教师课时", "工作量"),
    examples=("which teacher has the most lessons?", "哪位老师课最多"),
    price=1,
    expected_s=0.03,
)
def count_teacher_load(lessons: Lessons) -> TeacherLoad:
    load = Counter(x["teacher"] for x in lessons["lessons"])
    return {"by_teacher": dict(sorted(load.items())), "busiest": min(load, key=lambda t: (-load[t], t))}


@contribute(
    en="Publish the week plan of a school: timetable, rooms, free hours and teachers together.",
    zh="发布学校周课表：课表、教室、空闲课时和教师合在一起。",
    specialization="timetables",
    tags=("week plan", "school week", "周课表", "教学周"),
    examples=("publish the plan for the school week", "发布本周的教学安排"),
    price=4,
    expected_s=0.05,
)
def publish_week_plan(
    lessons: Lessons, timetable: Timetable, rooms: RoomPlan, idle: IdleHours, load: TeacherLoad
) -> WeekPlan:
    rows = sorted(
        zip(timetable["slots"], lessons["lessons"], rooms["rooms"], strict=True), key=lambda r: r[0]
    )
    lines = [
        f"{slot // _HOURS_A_DAY + 1}/{slot % _HOURS_A_DAY + 1} {x['form']} {x['name']} {x['teacher']} {room}"
        for slot, x, room in rows
    ]
    return {
        "lines": lines,
        "rooms": rooms["needed"],
        "idle_hours": idle["total"],
        "busiest": load["busiest"],
    }


@contribute(
    en="Read the tasks of a project: their days, and what each waits for.",
    zh="读取项目任务：各任务的天数和前置任务。",
    specialization="timetables",
    tags=("project", "tasks", "dependencies", "项目", "任务", "工期"),
    price=1,
    expected_s=0.02,
)
def read_project(tasks: list[dict]) -> Project:  # type: ignore[type-arg]  # as users give them
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
