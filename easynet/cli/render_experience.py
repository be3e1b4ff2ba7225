"""What was learned from past runs, for people."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from easynet.agents.wording import format_time, one_line, shorten, status_label
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits
from easynet.core.task_graph import FromInput, FromSubtask, Gathered, Given
from easynet.planners.experience import Experience
from easynet.planners.past_run import PastRun

_SHOWN, _MOST_STEPS, _TEXT_COLUMNS = 20, 6, 100


def language_of_runs(runs: Sequence[PastRun]) -> Language:
    """The language in which the user spoke last."""
    return runs[-1].language if runs else "en"


def experience_overview(runs: Sequence[PastRun], *, learned: int) -> str:
    """How much there is, what is avoided, and the latest runs; the model was fitted on `learned`."""
    language = language_of_runs(runs)
    if not runs:
        return say(language, "There is no past run to plan by yet.", "还没有可供规划参考的历史运行。")
    good = sum(run.outcome == "succeeded" for run in runs)
    kept, bad = len(runs), len(runs) - good
    lines = [
        say(
            language,
            f"{kept:,} past run{'s' * (kept != 1)}: {good:,} to learn plans from, {bad:,} that failed.",
            f"{kept:,} 次历史运行：其中 {good:,} 次用于学习规划，{bad:,} 次失败。",
        ),
        say(language, f"The model knows {learned:,} of them.", f"模型已学习其中 {learned:,} 次。")
        if learned
        else say(language, "There is no model yet.", "尚无模型。"),
    ]
    if distrusted := sorted(Experience(runs, {}).distrusted):
        names = say(language, ", ", "、").join(map(one_line, distrusted))
        lines.append(
            say(
                language,
                f"Avoided, because they fail of late: {names}.",
                f"近期失败较多，暂不使用：{names}。",
            )
        )
    latest = [line for run in reversed(runs[-_SHOWN:]) for line in _lines(run, language)]
    more = len(runs) - _SHOWN
    rest = [say(language, f"… and {more:,} before", f"… 以及更早的 {more:,} 次")] if more > 0 else []
    return "\n".join([*lines, "", *latest, *rest])


def _lines(run: PastRun, language: Language) -> list[str]:
    """A run in two lines: what was asked for and how it went, and by which plan."""
    names = run.graph.capabilities
    steps = [*names] if len(names) <= _MOST_STEPS else [*names[: _MOST_STEPS - 1], "…", names[-1]]
    failed = say(language, f" (failed: {run.failed})", f"（失败：{run.failed}）") if run.failed else ""
    asked = shorten(one_line(run.text), _TEXT_COLUMNS)
    return [
        f"{run.id}  {status_label(run.outcome, language).lower()}  {asked}",
        f"    {one_line(run.planner)}{say(language, ': ', '：')}{one_line(', '.join(steps))}{failed}",
    ]


def past_run_details(run: PastRun) -> str:
    """All that is remembered about a run."""
    language = run.language
    ended = f"{datetime.fromtimestamp(run.at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    rows = [
        (say(language, "Run", "运行编号"), run.id),
        (say(language, "Ended", "结束"), ended),
        (say(language, "Asked for", "要求"), run.text),
        (say(language, "Result", "结果"), status_label(run.outcome, language)),
        (say(language, "Planned by", "规划方式"), run.planner),
        (say(language, "Cost", "费用"), format_credits(run.cost, language)),
        (say(language, "Time", "用时"), format_time(run.duration_s, language)),
        *(
            (say(language, "Input", "输入"), f"{name} = {_shown(value)}")
            for name, value in run.inputs.items()
        ),
        *(
            (
                say(language, *(("Answered", "回答") if e.kind == "answered" else ("Changed", "更改"))),
                f"{e.name} = {_shown(e.value)}",
            )
            for e in run.edits
        ),
        *((say(language, "Avoided", "绕开"), name) for name in run.avoided),
        *((say(language, "Failed", "失败"), name) for name in (run.failed,) if name),
        *((say(language, "Left out", "未做"), caveat) for caveat in run.caveats),
    ]
    colon = say(language, ": ", "：")
    facts = [f"{name}{colon}{one_line(value)}" for name, value in rows]
    return "\n".join([*facts, say(language, "Plan:", "计划："), *_plan(run)])


def _plan(run: PastRun) -> list[str]:
    lines: list[str] = []
    for subtask in run.graph.subtasks:
        arguments = ", ".join(f"{name} = {_source(b)}" for name, b in subtask.arguments.items())
        lines.append(one_line(f"{subtask.id}: {subtask.capability}({arguments})"))
    return [f"  {line}" for line in lines]


def _source(binding: Given | FromInput | FromSubtask | Gathered) -> str:
    match binding:
        case Given():
            return _shown(binding.value)
        case FromInput():
            return f"<{binding.name}>"
        case FromSubtask():
            return ".".join((binding.subtask, *binding.path))
        case Gathered():
            return f"[{', '.join(map(_source, binding.items))}]"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def really(count: int, language: Language) -> str:
    """The question before runs are forgotten."""
    return say(
        language,
        f"Forget {count:,} past run{'s' * (count != 1)} for good?",
        f"永久删除 {count:,} 次历史运行？",
    )


def forgotten(count: int, language: Language) -> str:
    return say(
        language, f"{count:,} past run{'s' * (count != 1)} forgotten.", f"已删除 {count:,} 次历史运行。"
    )
