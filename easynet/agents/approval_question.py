"""The question whether to go ahead with a plan, in words."""

import json
from collections.abc import Sequence

from pydantic import JsonValue

from easynet.agents.approvals import APPROVAL
from easynet.agents.run_memory import RunMemory
from easynet.agents.wording import one_line, shorten
from easynet.core.events import Question, StepToApprove
from easynet.core.ids import NodeId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.language import Language, say
from easynet.core.quantities import format_credits
from easynet.core.task_graph import Binding, FromInput, Given, TaskGraph, sources

_TITLE_COLUMNS = 120
_VALUE_COLUMNS = 80
_MOST_NODES = 3


def approval_question(
    memory: RunMemory, graph: TaskGraph, steps: Sequence[StepToApprove], others: Sequence[NodeId], price: int
) -> Question:
    """Name each step that needs agreement: what it does, with which values, where, and for how much.

    `others` are nodes that are not the user's own; `price` is that of the whole plan, in credits.
    """
    language = memory.language
    cost = format_credits(price, language)
    lines: list[str] = []
    if steps:
        en = "This step needs your agreement:" if len(steps) == 1 else "These steps need your agreement:"
        lines.append(say(language, en, "以下步骤需要您的批准："))
        lines += [f"- {_told(memory, graph, step, language)}" for step in steps]
    if others:
        lines.append(
            say(
                language,
                f"This may send your data to {', '.join(others)}, for about {cost}. Go ahead?",
                f"这可能把您的数据发送到 {'、'.join(others)}，大约花费 {cost}。继续吗？",
            )
        )
    else:
        en = f"The plan costs about {cost}. Go ahead?"
        lines.append(say(language, en, f"整个计划大约花费 {cost}。继续吗？"))
    return Question(name=APPROVAL, text="\n".join(lines), choices=("yes", "no"))


def _told(memory: RunMemory, graph: TaskGraph, step: StepToApprove, language: Language) -> str:
    title = shorten(one_line(memory.catalogue[step.capability].describe(language)), _TITLE_COLUMNS)
    nodes = [one_line(node) for node in step.nodes[:_MOST_NODES]]
    if more := len(step.nodes) - len(nodes):
        nodes.append(say(language, f"{more} more", f"另外 {more} 个"))
    reasons = {
        "irreversible": say(language, "cannot be undone", "不可撤销"),
        "price": say(language, "above the price that you set", "超过您设定的价格"),
        "again": say(language, "was done before in this run", "在这次运行中已经执行过"),
    }
    comma = say(language, ", ", "，")
    at_most = format_credits(step.price, language)
    parts = [
        f"{one_line(step.capability)}{say(language, ': ', '：')}{title.rstrip('.。')}",
        comma.join(reasons[why] for why in step.why),
        comma.join(_arguments(memory, graph, step.subtask, language)),
        say(language, f"on {' or '.join(nodes)}", f"在 {'、'.join(nodes)} 上"),
        say(language, f"at most {at_most}", f"最多 {at_most}"),
    ]
    return " · ".join(part for part in parts if part)


def _arguments(memory: RunMemory, graph: TaskGraph, subtask: SubtaskId, language: Language) -> list[str]:
    """ "amount = 5": each argument of a step, values that are private left out."""
    assert memory.parsed is not None
    inputs, privacy = memory.parsed.inputs, memory.parsed.requirements.privacy

    def value(binding: Binding) -> str | None:
        match binding:
            case Given() | FromInput() if privacy is Privacy.HIGH:
                return say(language, "(private)", "（私密）")
            case Given():
                return _written(binding.value)
            case FromInput():
                return _written(inputs[binding.name]) if binding.name in inputs else None
            case _:
                read = ", ".join(one_line(s.subtask) for s in sources(binding))
                return say(language, f"(the result of {read})", f"（{read} 的结果）")

    told = ((one_line(name), value(binding)) for name, binding in graph.by_id[subtask].arguments.items())
    return [f"{name} = {words}" for name, words in told if words is not None]


def _written(value: JsonValue) -> str:
    words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shorten(one_line(words), _VALUE_COLUMNS)
