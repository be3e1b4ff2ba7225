"""The table of `easynet top`: legible in any terminal, whatever the nodes are called."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from easynet.agents.wording import columns
from easynet.cli.network_load import Load, LoadMeter, NetworkLoad, NodeLoad
from easynet.cli.render_top import count_text, rate_text, span_text, top_json, top_screen, top_text
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Node
from easynet.fabric.telemetry.statistics import CallStatistics

NETWORK: tuple[tuple[str, int, int, int, dict[str, tuple[int, float]]], ...] = (
    ("gpu-node", 4, 4, 7, {"my_model": (120, 0.02), "embed": (40, 0.003)}),
    ("lab-2", 8, 2, 0, {"ocr_page": (18, 0.3)}),
    ("raspberry-in-the-kitchen-of-my-aunt", 1, 0, 0, {}),
    ("节点-北京", 16, 2, 0, {"翻译": (3000, 0.004)}),
)


def measured() -> NetworkLoad:
    """A small network, looked at twice."""
    meter = LoadMeter()
    for seconds in (0, 2):
        nodes = []
        for name, concurrency, running, waiting, functions in NETWORK:
            statistics = CallStatistics()
            for function, (calls, duration_s) in functions.items():
                for n in range(calls * seconds // 2):
                    statistics.record(CapabilityName(function), duration_s, function == "embed" and n < 2)
            node = Node(
                name=NodeId(name),
                instance="1",
                concurrency=concurrency,
                running=running,
                waiting=waiting,
                draining=name == "lab-2",
                statistics=statistics.snapshot(),
                last_seen_at=100.0 + (0 if name.startswith("raspberry") else seconds * 4),
            )
            nodes.append(node)
        load = meter.look(nodes, seconds * 4)
    return load


def screen(
    load: NetworkLoad | None,
    width: int = 100,
    height: int = 24,
    shows_functions: bool = True,
    lost_s: float | None = None,
) -> list[str]:
    network = "nats://10.0.0.1:4222"
    shown = top_screen(
        load, network=network, width=width, height=height, shows_functions=shows_functions, lost_s=lost_s
    )
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, force_terminal=False, _environ={})
    console.print(shown)
    return [line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")]


WIDE = """\
4 nodes · 8/29 running · 7 waiting · 397 calls/s · 2 errors

Node                               State        Running  Waiting  Calls/s   Errors      p50      p95
节点-北京                          ready           2/16        0      375        0   4.0 ms   4.0 ms
  翻译                                                                375        0   4.0 ms   4.0 ms
gpu-node                           ready            4/4        7       20        2    20 ms    20 ms
  my_model                                                             15        0    20 ms    20 ms
  embed                                                               5.0        2   3.0 ms   3.0 ms
lab-2                              draining         2/8        0      2.2        0   300 ms   300 ms
  ocr_page                                                            2.2        0   300 ms   300 ms
raspberry-in-the-kitchen-of-my-a…  silent 8 s       0/1        0        –        0        –        –"""

NARROW = """\
4 nodes · 8/29 running · 7 waiting · 397 calls/s · 2 errors

Node               Running  Calls/s   Errs      p50      p95
节点-北京             2/16      375      0   4.0 ms   4.0 ms
  翻译                          375      0   4.0 ms   4.0 ms
gpu-node             4/4+7       20      2    20 ms    20 ms
  my_model                       15      0    20 ms    20 ms
  embed                         5.0      2   3.0 ms   3.0 ms
lab-2 draining         2/8      2.2      0   300 ms   300 ms
  ocr_page                      2.2      0   300 ms   300 ms
raspberry… silent      0/1        –      0        –        –"""


def test_wide_table_has_a_line_for_each_node_and_function() -> None:
    assert top_text(measured(), 100) == WIDE


def test_narrow_table_keeps_what_matters() -> None:
    assert top_text(measured(), 60) == NARROW


def test_table_for_a_pipe_is_the_wide_one() -> None:
    assert top_text(measured(), None) == WIDE


def test_very_wide_table_shows_how_busy_each_node_is() -> None:
    text = top_text(measured(), 160)
    assert "━━━━━━━━━━     4/4" in text
    assert "━━────────     2/8" in text


@pytest.mark.parametrize("width", [60, 61, 80, 83, 84, 100, 103, 104, 160, 300])
def test_nothing_is_wider_than_the_terminal_and_no_number_is_cut(width: int) -> None:
    for line in screen(measured(), width):
        assert columns(line) <= width
    assert not re.search(r"\d…|[a-z]s?…$", "\n".join(screen(measured(), width)))


def test_screen_says_where_it_looks_and_what_keys_do() -> None:
    lines = screen(measured())
    assert lines[0].startswith("easynet top")
    assert lines[0].endswith("nats://10.0.0.1:4222")
    assert lines[-1] == "q quit · f hide functions"


@pytest.mark.parametrize("height", [8, 10, 24])
def test_screen_fits_the_height_and_tells_what_is_left_out(height: int) -> None:
    lines = screen(measured(), 100, height)
    assert len(lines) <= height
    shown = len(lines) - 6
    assert ("more line" in lines[-1]) == (shown < 8)
    if shown < 8:
        assert lines[-1].endswith(f"{8 - shown} more lines")


def test_functions_can_be_hidden() -> None:
    lines = screen(measured(), shows_functions=False)
    assert not any("my_model" in line for line in lines)
    assert lines[-1] == "q quit · f show functions"


def test_gateway_that_is_gone_is_said_above_what_was_seen_last() -> None:
    lines = screen(measured(), lost_s=7.4)
    assert lines[0].endswith("reconnecting to nats://10.0.0.1:4222 · 7 s")
    assert any("gpu-node" in line for line in lines)
    assert "reconnecting" in screen(None, lost_s=7.4)[0]


def test_network_without_nodes_says_so() -> None:
    assert top_text(NetworkLoad(), 80) == "No node is on this network."
    assert "No node is on this network." in screen(NetworkLoad())


def test_json_has_the_numbers_as_they_are() -> None:
    found = top_json(measured())
    [gpu] = [n for n in found["nodes"] if n["name"] == "gpu-node"]
    assert (gpu["state"], gpu["running"], gpu["waiting"], gpu["errors"]) == ("ready", 4, 7, 2)
    assert gpu["calls_per_s"] == pytest.approx(20)
    assert [f["name"] for f in gpu["functions"]] == ["my_model", "embed"]
    assert found["calls_per_s"] == pytest.approx(397.25)


NUMBERS = st.integers(-(2**63), 2**63)
TIMES = st.none() | st.floats(0, 1e300)
LOADS = st.builds(Load, TIMES, NUMBERS, NUMBERS, TIMES, TIMES, st.booleans())
NODES = st.builds(
    lambda name, counts, state, silent_s, load, functions: NodeLoad(
        Node(name=NodeId(name), instance="1", concurrency=counts[0], running=counts[1], waiting=counts[2]),
        state,
        silent_s,
        load,
        tuple((CapabilityName(f), found) for f, found in functions),
    ),
    st.text(max_size=80),
    st.tuples(NUMBERS, NUMBERS, NUMBERS),
    st.sampled_from(["ready", "draining", "silent"]),
    st.floats(0, 1e9),
    LOADS,
    st.lists(st.tuples(st.text(max_size=80), LOADS), max_size=3),
)


@given(st.lists(NODES, max_size=4), st.integers(60, 200), st.integers(4, 40))
def test_no_name_and_no_number_breaks_the_screen(nodes: list[NodeLoad], width: int, height: int) -> None:
    load = NetworkLoad(tuple(nodes))
    for line in screen(load, width, height):
        assert not re.search("[\x00-\x1f\x7f-\x9f\u202e]", line)
    assert len(top_text(load, width).split("\n")) < 30


@pytest.mark.parametrize(
    ("per_s", "text"),
    [(None, "–"), (0, "0"), (0.04, "<0.1"), (5.94, "5.9"), (9.97, "10"), (9999.4, "9999"), (12_340, "12k")],
)
def test_rates_are_short(per_s: float | None, text: str) -> None:
    assert rate_text(per_s) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0002, "<0.5 ms"),
        (0.0042, "4.2 ms"),
        (0.346, "346 ms"),
        (0.9996, "1.0 s"),
        (45.0, "45 s"),
        (100.0, "1.7 min"),
        (3599.0, "60 min"),
        (3600.0, ">1 h"),
    ],
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert span_text(seconds) == text


@given(st.integers(0, 10**20))
def test_counts_never_outgrow_their_column(count: int) -> None:
    assert len(count_text(count)) <= 5
