"""A figure says whether it meets its target."""

import pytest

from benchmarks.figure import figure


@pytest.mark.parametrize(
    ("value", "target", "words"),
    [
        (1.0, {"at_most": 1.0}, "(at most 1)  ok"),
        (1.1, {"at_most": 1.0}, "(at most 1)  MISS"),
        (0.9, {"at_least": 0.9}, "(at least 0.9)  ok"),
        (0.8, {"at_least": 0.9}, "(at least 0.9)  MISS"),
        (7.0, {}, "(measured)"),
    ],
)
def test_figure_stands_beside_its_target(
    value: float, target: dict[str, float], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figure("calls", value, "x", **target)
    assert capsys.readouterr().out.rstrip().endswith(words)
