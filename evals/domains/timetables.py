"""Timetables of a school."""

import random
from collections import Counter
from itertools import combinations
from typing import Any, TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_HOURS_A_DAY = 6
_TRIES = 1_200


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


@contribute(
    en="Read the lessons of a school: subject, teacher and class of each.",
    zh="读取学校课程：每节课的科目、教师和班级。",
    specialization="timetables",
    tags=("lessons", "school", "courses", "课程", "学校", "教师"),
    price=1,
    expected_s=0.02,
)
def read_lessons(lessons: list[dict[str, Any]]) -> Lessons:
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
