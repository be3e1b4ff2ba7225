"""The task graph as a picture: one box a step, or one box a group of steps where there are many."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from easynet.agents.report_html import Html, el, join, wrap
from easynet.agents.report_layout import Layout, lay_out, layers_of
from easynet.agents.run_account import RunAccount
from easynet.agents.run_step import State, Step
from easynet.agents.wording import format_time, one_line, state_label
from easynet.core.ids import SubtaskId
from easynet.core.language import Language, say

MOST_BOXES = 60
"""Above this, boxes stand for groups of steps."""
_MOST_BANDS = 24
_BOX_WIDTH, _BOX_HEIGHT = 212.0, 76.0
_BESIDE = 26.0
"""Between boxes of one layer."""
_BETWEEN = 40.0
"""Between layers, where the arrows are."""
_PAGE_WIDTH = 928.0
_TITLE_COLUMNS, _NOTE_COLUMNS = 24, 27


@dataclass(frozen=True)
class Box:
    """What is written in one box."""

    title: str
    note: str
    state: State
    tooltip: str = ""


def draw_graph(account: RunAccount, language: Language) -> Html | None:
    """The plan as an inline SVG, or `None` where there is no plan that can be drawn."""
    steps = account.current
    if account.graph is None or not steps:
        return None
    ids = {s.id for s in steps}
    needs = {s.id: [n for n in sorted(s.needs) if n in ids] for s in account.graph.subtasks if s.id in ids}
    try:
        layer = layers_of({s.id: needs.get(s.id, []) for s in steps})
    except ValueError:  # circular
        return None
    is_grouped = len(steps) > MOST_BOXES
    if is_grouped:
        group = _groups(steps, layer)
        members: dict[str, list[Step]] = {}
        for step in steps:
            members.setdefault(group[step.id], []).append(step)
        boxes = {key: _group_box(inside, language) for key, inside in members.items()}
    else:
        group = {s.id: str(s.id) for s in steps}
        boxes = {group[s.id]: _box(s, language) for s in steps}
    edges = {(group[n], group[i]) for i, found in needs.items() for n in found if group[n] != group[i]}
    picture = _draw(boxes, _without_shortcuts(boxes, edges), _spoken(account, language))
    return el("figure", picture, el("figcaption", _caption(is_grouped, language)), class_="picture")


def _without_shortcuts(boxes: Iterable[str], edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What comes directly before each box; an edge that follows from others is left out."""
    import networkx as nx  # 100 ms to import, and only the picture needs it

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(boxes)
    graph.add_edges_from(sorted(edges))
    reduced = nx.transitive_reduction(graph)
    return {key: sorted(reduced.predecessors(key)) for key in boxes}


def _groups(steps: Sequence[Step], layer: Mapping[SubtaskId, int]) -> dict[SubtaskId, str]:
    """A group for each step: one layer's steps of one function; where that is too many, whole layers."""
    group = {s.id: f"{layer[s.id]:06d} {s.capability or s.title}" for s in steps}
    if len(set(group.values())) <= MOST_BOXES:
        return group
    layers = max(layer.values()) + 1
    bands = min(layers, _MOST_BANDS)
    return {s.id: f"{layer[s.id] * bands // layers:06d}" for s in steps}


def _box(step: Step, language: Language) -> Box:
    took = format_time(step.duration_s, language) if step.duration_s is not None else None
    node = "" if step.state == "asking" else step.node  # an answer is waited for, wherever it ran
    note = [node, took or state_label(step.state, language)]
    return Box(
        title=step.title, note=" · ".join(n for n in note if n), state=step.state, tooltip=step.description
    )


def _group_box(steps: Sequence[Step], language: Language) -> Box:
    states: Counter[State] = Counter(s.state for s in steps)
    order: tuple[State, ...] = ("failed", "asking", "running", "stopped", "waiting", "succeeded")
    worst: State = next(filter(states.get, order))
    (title, count), *others = Counter(s.title for s in steps).most_common()
    more = say(language, f" and {len(others)} more", f" 等 {len(others) + 1} 种") if others else ""
    note = " · ".join(f"{n} {state_label(state, language)}" for state, n in states.most_common())
    return Box(title=f"{count} × {title}{more}", note=note, state=worst)


def _draw(boxes: Mapping[str, Box], before: Mapping[str, Sequence[str]], spoken: str) -> Html:
    downwards = lay_out(before, size=_BOX_WIDTH, gap=_BESIDE)
    sideways = lay_out(before, size=_BOX_HEIGHT, gap=_BESIDE / 2)
    length = sideways.layers * (_BOX_WIDTH + _BETWEEN) - _BETWEEN
    drop = downwards.layers * (_BOX_HEIGHT + _BETWEEN) - _BETWEEN
    if length <= _PAGE_WIDTH:
        is_down = downwards.extent <= _PAGE_WIDTH and drop < sideways.extent
    else:
        is_down = downwards.extent <= max(_PAGE_WIDTH, length)
    layout = downwards if is_down else sideways
    depth = _BOX_HEIGHT if is_down else _BOX_WIDTH
    along = layout.layers * (depth + _BETWEEN) - _BETWEEN
    width, height = (layout.extent, along) if is_down else (along, layout.extent)
    return el(
        "div",
        el(
            "svg",
            el("title", spoken),
            el("defs", _arrow_head()),
            *(_edge(points, is_down=is_down, depth=depth) for points in layout.routes.values()),
            *(_box_at(box, *_corner(layout, key, is_down=is_down)) for key, box in boxes.items()),
            role="img",
            viewBox=f"-2 -2 {width + 4:.0f} {height + 4:.0f}",
            width=width + 4,
            height=height + 4,
            style=f"min-width:{0.72 * width:.0f}px",
        ),
        class_="scroll",
        tabindex="0",
        role="group",
        aria_label=spoken,
    )


def _arrow_head() -> Html:
    head = el("path", d="M0 0.5 L7 4 L0 7.5 z", class_="arrow-head")
    return el("marker", head, id="arrow", markerWidth=8, markerHeight=8, refX=7, refY=4, orient="auto")


def _corner(layout: Layout[str], key: str, *, is_down: bool) -> tuple[float, float]:
    if is_down:
        return layout.across[key] - _BOX_WIDTH / 2, layout.layer[key] * (_BOX_HEIGHT + _BETWEEN)
    return layout.layer[key] * (_BOX_WIDTH + _BETWEEN), layout.across[key] - _BOX_HEIGHT / 2


def _edge(points: Sequence[tuple[int, float]], *, is_down: bool, depth: float) -> Html:
    """A curve from box to box that passes each layer between them in a straight line."""

    def at(along: float, across: float) -> str:
        return f"{across:.1f} {along:.1f}" if is_down else f"{along:.1f} {across:.1f}"

    (layer, across), *rest = points
    along = layer * (depth + _BETWEEN) + depth
    path = f"M{at(along, across)}"
    for layer, target in rest:
        enter = layer * (depth + _BETWEEN)
        middle = (along + enter) / 2
        path += f" C{at(middle, across)} {at(middle, target)} {at(enter, target)}"
        along, across = enter + depth, target
        if layer != points[-1][0]:
            path += f" L{at(along, across)}"
    return el("path", d=path, class_="arrow", marker_end="url(#arrow)")


def _box_at(box: Box, left: float, top: float) -> Html:
    lines = wrap(one_line(box.title), _TITLE_COLUMNS, 2)
    first = top + (25 if len(lines) == 2 else 33)
    return el(
        "g",
        el("title", f"{one_line(box.tooltip or box.title)} — {one_line(box.note)}"),
        el("rect", x=left, y=top, width=_BOX_WIDTH, height=_BOX_HEIGHT, rx=9, class_="box"),
        el("rect", x=left + 10, y=top + 14, width=4, height=_BOX_HEIGHT - 28, rx=2, class_="mark"),
        join(
            *(
                el("text", line, x=left + 25, y=first + 18 * n, class_="box-title")
                for n, line in enumerate(lines)
            )
        ),
        el(
            "text",
            wrap(one_line(box.note), _NOTE_COLUMNS, 1)[0],
            x=left + 25,
            y=first + 18 * len(lines) + 2,
            class_="box-note",
        ),
        class_=f"state-{box.state}",
    )


def _caption(grouped: bool, language: Language) -> str:
    if grouped:
        return say(
            language,
            "The plan in summary: a box stands for several steps; an arrow means that one waits for another.",
            "计划概览：每个方框代表多个步骤，箭头表示后者等待前者。",
        )
    return say(
        language,
        "An arrow means that a step waits for another. Arrows that follow from others are left out.",
        "箭头表示后一步等待前一步；可由其他箭头推出的箭头已省略。",
    )


def _spoken(account: RunAccount, language: Language) -> str:
    done, total = account.count("succeeded"), len(account.current)
    return say(
        language,
        f"The task graph: {done} of {total} steps done. The table below lists the same steps.",
        f"任务图：{total} 个步骤中完成 {done} 个。下方表格列出相同的步骤。",
    )
