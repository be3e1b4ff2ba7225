"""What `easynet top` shows: the network's load as a table, in any width that a terminal has."""

from collections.abc import Iterator, Mapping
from io import StringIO
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.styled import Styled
from rich.table import Table
from rich.text import Text

from easynet.agents.wording import columns, one_line, shorten
from easynet.cli.network_load import Load, NetworkLoad, NodeLoad
from easynet.fabric.telemetry.statistics import BOUNDS_S

_WIDTH_FOR_STATES: Final = 84
_WIDTH_FOR_BARS: Final = 104
_LEAST_NAME, _MOST_NAME = 16, 40
_BAR_COLUMNS: Final = 10
_FIXED, _FIXED_WITH_STATES, _FIXED_WITH_BARS = 43, 67, 78
"""Columns that all others take, with the gaps between them."""
_INDENT: Final = "  "
_OTHER_LINES: Final = 5
"""Lines of the screen besides the totals and the rows of the table."""
_PLAIN_WIDTH: Final = 100
"""The width of a table that goes to a file or a pipe."""

_STATE_STYLES: Final = {"ready": "", "draining": "cyan", "silent": "yellow"}
_UNKNOWN: Final = "–"

Row = tuple[Text, ...]


def top_text(load: NetworkLoad, width: int | None) -> str:
    """The table and its totals as text without control codes; `width` is `None` in a file or a pipe."""
    width = width or _PLAIN_WIDTH
    parts: list[RenderableType] = [Text("\n".join(_totals(load, width)))]
    if load.nodes:
        table, _ = _table(load, width, None, shows_functions=True)
        parts += [Text(), table]
    out = StringIO()
    console = Console(file=out, width=width, no_color=True, force_terminal=False, _environ={})
    console.print(Group(*parts))
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n"))


def top_screen(
    load: NetworkLoad | None,
    *,
    network: str,
    width: int,
    height: int,
    shows_functions: bool,
    lost_s: float | None,
) -> RenderableType:
    """The whole screen; `load` is `None` before the first look, `lost_s` how long its gateway is gone."""
    head = _spread(Text.assemble(("easynet top", "bold")), _link(network, lost_s), width)
    if load is None:
        return Group(head, Text("Looking…", style="dim"))
    left_out = 0
    totals = _totals(load, width)
    parts: list[RenderableType] = [Text("\n".join(totals)), Text()]
    if load.nodes:
        rows = max(1, height - _OTHER_LINES - len(totals))
        table, left_out = _table(load, width, rows, shows_functions=shows_functions)
        parts.append(table)
    keys = f"q quit · f {'hide' if shows_functions else 'show'} functions"
    more = f"{left_out} more line{'s' * (left_out != 1)}" if left_out else ""
    parts += [Text(), _spread(Text(keys, style="dim"), Text(more, style="dim"), width)]
    body = Group(*parts)
    return Group(head, body if lost_s is None else Styled(body, "dim"))


def top_json(load: NetworkLoad) -> dict[str, Any]:
    """The same for programs: times in seconds, `null` for what is not known."""
    return {
        "running": load.running,
        "waiting": load.waiting,
        "concurrency": load.concurrency,
        **_load_json(load.load),
        "nodes": [
            {
                "name": n.node.name,
                "state": n.state,
                "running": n.node.running,
                "waiting": n.node.waiting,
                "concurrency": n.node.concurrency,
                **_load_json(n.load),
                "functions": [{"name": name, **_load_json(found)} for name, found in n.functions],
            }
            for n in load.nodes
        ],
    }


def _load_json(load: Load) -> Mapping[str, float | None]:
    return {
        "calls_per_s": load.calls_per_s,
        "errors": load.errors,
        "p50_s": load.p50_s,
        "p95_s": load.p95_s,
    }


def _link(network: str, lost_s: float | None) -> Text:
    if lost_s is None:
        return Text(one_line(network), style="dim")
    return Text(f"reconnecting to {one_line(network)} · {lost_s:.0f} s", style="bold yellow")


def _totals(load: NetworkLoad, width: int) -> list[str]:
    """ "3 nodes · 5/12 running · 2 waiting · 128 calls/s · 1 error", in as many lines as it takes."""
    nodes, errors = len(load.nodes), load.load.errors
    if not nodes:
        return ["No node is on this network."]
    first, *rest = (
        f"{nodes} node{'s' * (nodes != 1)}",
        f"{load.running}/{load.concurrency} running",
        f"{load.waiting} waiting",
        f"{rate_text(load.load.calls_per_s)} calls/s",
        f"{errors} error{'s' * (errors != 1)}",
    )
    lines = [first]
    for part in rest:
        longer = f"{lines[-1]} · {part}"
        lines = [*lines[:-1], longer] if len(longer) <= width else [*lines, part]
    return lines


def _table(
    load: NetworkLoad, width: int, most_rows: int | None, *, shows_functions: bool
) -> tuple[Table, int]:
    """The table, and how many of its rows are left out."""
    has_states, has_bars = width >= _WIDTH_FOR_STATES, width >= _WIDTH_FOR_BARS
    names = [one_line(n.node.name) for n in load.nodes]
    names += [_INDENT + one_line(f) for n in load.nodes for f, _ in n.functions if shows_functions]
    longest = min(_MOST_NAME, max(map(columns, names)))
    table = Table.grid(padding=(0, 2, 0, 0))
    if has_states:
        fixed = _FIXED_WITH_BARS if has_bars else _FIXED_WITH_STATES
        name_columns = min(max(_LEAST_NAME, longest), width - fixed)
        table.add_column(width=name_columns, no_wrap=True)
        table.add_column(width=11, no_wrap=True)
        table.add_column(width=(_BAR_COLUMNS + 8) if has_bars else 7, no_wrap=True, justify="right")
        table.add_column(width=7, no_wrap=True, justify="right")
        heads = ["Node", "State", "Running", "Waiting"]
    else:
        name_columns = width - _FIXED
        table.add_column(width=name_columns, no_wrap=True)
        table.add_column(width=7, no_wrap=True, justify="right")
        heads = ["Node", "Running"]
    for column_width in (7, 5 if not has_states else 7, 7, 7):
        table.add_column(width=column_width, no_wrap=True, justify="right")
    heads += ["Calls/s", "Errors" if has_states else "Errs", "p50", "p95"]
    table.add_row(*(Text(head, style="dim") for head in heads))
    rows = [*_rows(load, name_columns, has_states, has_bars, shows_functions)]
    shown = rows[:most_rows]
    for row in shown:
        table.add_row(*row)
    return table, len(rows) - len(shown)


def _rows(
    load: NetworkLoad, name_columns: int, has_states: bool, has_bars: bool, shows_functions: bool
) -> Iterator[Row]:
    for found in load.nodes:
        yield (*_node_cells(found, name_columns, has_states, has_bars), *_load_cells(found.load, "bold"))
        for function, function_load in found.functions if shows_functions else ():
            name = Text(shorten(_INDENT + one_line(function), name_columns), style="dim")
            blanks = (Text(),) * (3 if has_states else 1)
            yield (name, *blanks, *_load_cells(function_load, ""))


def _node_cells(found: NodeLoad, name_columns: int, has_states: bool, has_bars: bool) -> Row:
    node, style = found.node, _STATE_STYLES[found.state]
    name = one_line(node.name)
    state = found.state + (f" {min(found.silent_s, 999):.0f} s" if found.state == "silent" else "")
    busy = f"{count_text(node.running)}/{count_text(node.concurrency)}"
    if has_states:
        running = Text.assemble(*_bar(found), f" {busy:>7}") if has_bars else Text(busy)
        waiting = Text(count_text(node.waiting), style="yellow" if node.waiting else "dim")
        return Text(shorten(name, name_columns), style="bold"), Text(state, style or "dim"), running, waiting
    waiting_more = f"+{count_text(node.waiting)}" if node.waiting else ""
    if found.state == "ready":
        label = Text(shorten(name, name_columns), style="bold")
    else:
        room = name_columns - len(found.state) - 1
        label = Text.assemble((shorten(name, room), "bold"), " ", (found.state, style))
    return label, Text.assemble(busy, (waiting_more, "yellow"))


def _bar(found: NodeLoad) -> tuple[tuple[str, str], tuple[str, str]]:
    share = found.node.running / found.node.concurrency if found.node.concurrency > 0 else 0.0
    filled = round(_BAR_COLUMNS * min(1.0, max(0.0, share)))
    return ("━" * filled, "cyan"), ("─" * (_BAR_COLUMNS - filled), "bright_black")


def _load_cells(load: Load, style: str) -> Row:
    errors = "bold red" if load.new_errors else "red" if load.errors else "dim"
    times = style if load.is_recent else "dim"
    return (
        Text(rate_text(load.calls_per_s), style=style if load.calls_per_s else "dim"),
        Text(count_text(load.errors), style=errors),
        Text(span_text(load.p50_s), style=times),
        Text(span_text(load.p95_s), style=times),
    )


def rate_text(per_s: float | None) -> str:
    """A rate in at most six characters: 0.5, 128, 12.3k."""
    if per_s is None:
        return _UNKNOWN
    if 0 < per_s < 0.1:
        return "<0.1"
    return f"{per_s:.1f}" if 0 < per_s < 9.95 else count_text(round(per_s))


def count_text(count: int) -> str:
    """A count in at most five characters: 9999, 12k, 3.4M."""
    if abs(count) < 10_000:
        return str(count)
    for unit, size in (("k", 10**3), ("M", 10**6), ("G", 10**9)):
        if abs(count) < 999.5 * size:
            shown = count / size
            return f"{shown:.1f}{unit}" if shown < 9.95 else f"{shown:.0f}{unit}"
    return ">999G" if count > 0 else _UNKNOWN


def span_text(seconds: float | None) -> str:
    """A duration in at most seven characters; below half a millisecond and above an hour, that alone."""
    if seconds is None:
        return _UNKNOWN
    if seconds <= BOUNDS_S[0]:
        return "<0.5 ms"
    if seconds >= BOUNDS_S[-1]:
        return ">1 h"
    unit, size = ("ms", 0.001) if seconds < 0.9995 else ("s", 1.0) if seconds < 99.5 else ("min", 60.0)
    shown = seconds / size
    return f"{shown:.1f} {unit}" if shown < 9.95 else f"{shown:.0f} {unit}"


def _spread(left: Text, right: Text, width: int) -> RenderableType:
    """Two texts at the two ends of a line."""
    line = Table.grid(expand=False)
    line.add_column(no_wrap=True, overflow="ellipsis", width=max(1, width - right.cell_len - 1))
    line.add_column(
        no_wrap=True, overflow="ellipsis", justify="right", width=min(width - 1, right.cell_len + 1)
    )
    line.add_row(left, right)
    return line
