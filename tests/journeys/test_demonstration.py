"""The demonstration of nodes that are killed under a run, as somebody watches it."""

import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def test_two_of_three_nodes_are_killed_and_the_run_finishes_and_tells_of_it() -> None:
    shown = subprocess.run(
        (sys.executable, "-m", "evals.processes.demonstration"),
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    ).stdout
    killed = re.findall(r"^(\w+) is killed while it works on (\w+)\.$", shown, re.MULTILINE)
    assert len({node for node, _ in killed}) == 2
    assert "The run: succeeded." in shown
    _, story = shown.split("$ easynet runs show", 1)
    for node, _ in killed:
        assert re.search(rf"✗ .* · {node}: .*; trying again", story), story
    assert re.search(r"→ .* · \w+, attempt 2", story), story
    assert re.search(r"✓ +Write the chapters from the tables", story), story
    assert '"342 twins"' in story
    # Nobody is paid for what was lost: the price is that of nine steps.
    assert "Paid 13 credits ($0.13) of an estimated 13 credits ($0.13)" in story
