"""Plain aligned tables for stdout: runs, nodes, functions, steps."""

import time
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from rich.box import Box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from easynet.agents.rivals import tried
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import State, Step
from easynet.agents.wording import format_time, irreversible, one_line, state_label, status_label
from easynet.cli.render_wrap import terminal_columns
from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName
from easynet.core.language import Language, say
from easynet.core.offer import Node, Trust
from easynet.core.quantities import format_credits
from easynet.execution.journal import RunSummary
from easynet.fabric.access.grants import Limits
from easynet.fabric.gateway.owner import MemberInfo

MARKS: dict[State, str] = {
    "waiting": "·",
    "running": "▸",
    "asking": "?",
    "succeeded": "✓",
    "failed": "✗",
    "stopped": "–",
}
_UNLIMITED_COLUMNS = 100_000

ALL: Final = Limits()
"""Rights to call everything."""

_RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
"""Nothing but a line under the heads."""


def runs_table(runs: Sequence[RunSummary], language: Language = "en") -> str:
    """Past runs, in the order given."""
    if not runs:
        return say(language, "There is no run yet.", "还没有运行记录。")
    table = _table()
    for name, fixed in (("Run", True), ("Started (UTC)", True), ("Status", True), ("Cost", True)):
        table.add_column(_head(name, language), no_wrap=fixed, justify="right" if name == "Cost" else "left")
    table.add_column(_head("Asked for", language), no_wrap=True, overflow="ellipsis", ratio=1)
    for run in runs:
        table.add_row(
            Text(run.id),
            _minute(run.started_at),
            _run_status(run, language),
            f"{run.cost:,}",
            Text(one_line(run.text)),
        )
    return _plain(table, terminal_columns())


def _run_status(run: RunSummary, language: Language) -> str:
    match run.status:
        case "running":
            return say(language, "running", "运行中")
        case "interrupted":
            return say(language, "interrupted", "已中断")
        case "needs_input" | "infeasible" | "over_budget" if language == "en":
            return run.status.replace("_", " ")
        case _:
            return status_label(run.status, language).lower()


def nodes_table(nodes: Sequence[Node], language: Language = "en") -> str:
    """The nodes of a network, by name."""
    if not nodes:
        return say(language, "No node is on this network.", "这个网络上没有节点。")
    table = _table()
    table.add_column(_head("Node", language), no_wrap=True, overflow="ellipsis")
    table.add_column(_head("Trust", language), no_wrap=True)
    table.add_column(_head("Busy", language), no_wrap=True, justify="right")
    table.add_column(_head("Functions", language), ratio=1)
    for node in sorted(nodes, key=lambda n: n.name):
        names = ", ".join(sorted(one_line(c.name) for c in node.capabilities))
        busy = f"{node.running}/{node.concurrency}"
        if node.draining:
            busy = say(language, f"leaving {busy}", f"即将离开 {busy}")
        table.add_row(Text(one_line(node.name)), trust_label(node, language), busy, Text(names or "–"))
    return _plain(table, terminal_columns())


def members_table(
    members: Sequence[MemberInfo], nodes: Sequence[Node] = (), language: Language = "en"
) -> str:
    """Who joined a network, in the order given; `nodes` are those that are there now."""
    if not members:
        return say(language, "Nobody has joined yet.", "还没有成员加入。")
    table = _table()
    for name in ("Member", "Kind", "Joined (UTC)", "Status"):
        table.add_column(_head(name, language), no_wrap=True, overflow="ellipsis")
    table.add_column(_head("May call", language), ratio=1)
    here = {str(node.name) for node in nodes}
    for member in members:
        kind = say(language, member.kind, "节点" if member.kind == "node" else "客户端")
        may = ", ".join(member.functions) or say(language, "everything", "全部")
        table.add_row(
            Text(member.name),
            kind,
            _minute(member.joined_at),
            _member_status(member, member.kind == "node" and member.name in here, language),
            Text(may if member.kind == "client" else "–"),
        )
    return _plain(table, terminal_columns())


def _member_status(member: MemberInfo, is_here: bool, language: Language) -> str:
    if member.revoked_at:
        return say(language, "shut out", "已移除")
    if member.kind == "node":
        return say(language, "here", "在线") if is_here else say(language, "away", "离线")
    return say(language, "joined", "已加入")


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(at))


def trust_label(node: Node, language: Language) -> str:
    words = {Trust.OWN: ("own", "自有"), Trust.TRUSTED: ("trusted", "受信"), Trust.PUBLIC: ("public", "公共")}
    return say(language, *words[node.trust])


def functions_table(nodes: Sequence[Node], language: Language = "en", rights: Limits = ALL) -> str:
    """What the nodes offer, one function a line: its name, its price, where, and what it does.

    Where some of it may not be called, it is said of each function whether it may.
    """
    offered = by_function(nodes)
    marks = {} if all(may_call(p, rights) for p in offered.values()) else offered
    if not offered:
        return no_function(language)
    table = _table()
    table.add_column(_head("Function", language), no_wrap=True)
    table.add_column(_head("Credits", language), no_wrap=True, justify="right")
    table.add_column(_head("Nodes", language), no_wrap=True)
    if marks:
        table.add_column(_head("Allowed", language), no_wrap=True)
    table.add_column(_head("What it does", language), no_wrap=True, ratio=1)
    for name, places in offered.items():
        about = one_line(places[0][1].describe(language))
        about += f" ({irreversible(language)})" if any(c.irreversible for _, c in places) else ""
        yes = say(language, "yes", "是") if may_call(places, rights) else say(language, "no", "否")
        allowed = [yes] if marks else []
        table.add_row(Text(one_line(name)), price_range(places), Text(where(places)), *allowed, Text(about))
    return _plain(table, None)


Places = Sequence[tuple[Node, Capability]]
"""The nodes that offer one function, each with what it offers."""


def by_function(nodes: Iterable[Node]) -> dict[CapabilityName, Places]:
    """What is offered, by name in order."""
    offered: dict[CapabilityName, list[tuple[Node, Capability]]] = {}
    for node in nodes:
        for capability in node.capabilities:
            offered.setdefault(capability.name, []).append((node, capability))
    return dict(sorted(offered.items()))


def may_call(places: Places, rights: Limits) -> bool:
    """Whether a function may be called at one of its nodes."""
    return any(rights.allow(f"{node.name}.{capability.name}") for node, capability in places)


def not_allowed(language: Language) -> str:
    return say(language, "not allowed", "无权调用")


def no_function(language: Language) -> str:
    return say(language, "No node offers a function.", "没有节点提供函数。")


def price_range(places: Places) -> str:
    prices = sorted({c.price for _, c in places})
    return f"{prices[0]}" if len(prices) == 1 else f"{prices[0]}–{prices[-1]}"


def where(places: Places) -> str:
    return ", ".join(sorted(one_line(node.name) for node, _ in places))


def steps_table(account: RunAccount) -> str:
    """The steps of a run with their state, node, attempts, time and price."""
    language = account.language
    table = _table(heads=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=18)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right")
    for step in account.steps.values():
        table.add_row(*_step_row(step, language))
    return _plain(table, terminal_columns())


def _step_row(step: Step, language: Language) -> tuple[str | Text, ...]:
    state = [] if step.state == "succeeded" else [state_label(step.state, language)]
    words = say(language, ", ", "，").join([*tried(step, language), *state])
    took = format_time(step.duration_s, language) if step.duration_s is not None else ""
    paid = format_credits(step.paid, language).split(" (")[0].split("（")[0] if step.sent else ""
    return MARKS[step.state], Text(one_line(step.title)), Text(one_line(step.node)), Text(words), took, paid


_HEADS = {
    "Run": "运行",
    "Started (UTC)": "开始（UTC）",
    "Status": "状态",
    "Cost": "积分",
    "Asked for": "要求",
    "Node": "节点",
    "Trust": "信任",
    "Busy": "占用",
    "Functions": "函数",
    "Function": "函数",
    "Credits": "积分",
    "Nodes": "节点",
    "Allowed": "可调用",
    "What it does": "功能",
    "Member": "成员",
    "Kind": "类别",
    "Joined (UTC)": "加入（UTC）",
    "May call": "可调用",
}


def _head(name: str, language: Language) -> str:
    return say(language, name, _HEADS[name])


def _table(*, heads: bool = True) -> Table:
    return Table(box=_RULED if heads else None, show_header=heads, show_edge=False, pad_edge=False)


def _plain(table: Table, width: int | None) -> str:
    """The table as text without control codes, `width` columns wide or as wide as needed without a rule."""
    out = StringIO()
    table.expand = width is not None
    table.box = table.box if width else None
    columns = width or _UNLIMITED_COLUMNS
    Console(file=out, width=columns, no_color=True, force_terminal=False, _environ={}).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))
