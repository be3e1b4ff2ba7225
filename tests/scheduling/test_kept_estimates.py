import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from easynet.core.errors import DataDirectoryUnusable
from easynet.core.ids import CapabilityName, NodeId
from easynet.scheduling.kept_estimates import KeptEstimates
from easynet.scheduling.observations import Observation, Observations
from easynet.testing.graphs import offer
from tests.patience import PATIENCE_S

WRITER = """
import sys
from pathlib import Path
from easynet.scheduling.observations import Observation, Observations
file = Observations(Path(sys.argv[1]))
for n in range(40):
    file.add([Observation(sys.argv[2], "work", 1.0, float(n), float(k), "succeeded") for k in range(5)])
file.close()
"""


def seen(number: int) -> Observation:
    return Observation(NodeId("x"), CapabilityName("work"), 1.0, float(number), 5.0, "succeeded")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "observations.db"


@pytest.fixture
def file(path: Path) -> Iterator[Observations]:
    with closing(Observations(path)) as opened:
        yield opened


def test_what_was_added_comes_back_in_its_order(file: Observations) -> None:
    file.add([seen(1), seen(2)])
    file.add([seen(3)])
    assert file.latest() == [seen(1), seen(2), seen(3)]
    assert file.latest(2) == [seen(2), seen(3)]


def test_only_the_latest_few_thousand_are_kept(file: Observations) -> None:
    file.add([seen(n) for n in range(4_000)])
    file.add([seen(n) for n in range(4_000, 8_000)])
    assert file.latest(10_000) == [seen(n) for n in range(3_000, 8_000)]


def test_nothing_of_a_broken_addition_is_kept(file: Observations) -> None:
    broken = Observation(NodeId("x"), CapabilityName("work"), 1.0, 0.0, float("nan"), "succeeded")
    with pytest.raises(DataDirectoryUnusable):
        file.add([seen(1), broken])
    assert file.latest() == []


def test_an_outcome_of_a_newer_version_is_left_out(path: Path, file: Observations) -> None:
    newer = Observation(NodeId("x"), CapabilityName("work"), 1.0, 0.0, 1.0, "enchanted")  # type: ignore[arg-type]
    file.add([seen(1), newer, seen(2)])
    assert file.latest() == [seen(1), seen(2)]


def test_two_processes_may_add_at_once(path: Path, file: Observations) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, name]) for name in ("a", "b")]
    assert [w.wait(timeout=PATIENCE_S) for w in writers] == [0, 0]
    for name in ("a", "b"):
        own = [(o.at, o.took_s) for o in file.latest() if o.node == name]
        assert own == [(float(n), float(k)) for n in range(40) for k in range(5)]


def test_the_next_process_knows_what_this_one_observed(path: Path) -> None:
    with closing(KeptEstimates(path)) as first:
        for n in range(30):
            first.observe(seen(n))
        learned = first.seconds(offer("x")), first.success(offer("x")), first.overdue_s(offer("x"), 0.95)
    with closing(KeptEstimates(path)) as second:
        again = second.seconds(offer("x")), second.success(offer("x")), second.overdue_s(offer("x"), 0.95)
    assert again == pytest.approx(learned)
    assert learned[0] == pytest.approx(5.0, rel=0.1)


def test_what_was_flushed_outlives_a_process_that_is_killed(path: Path, file: Observations) -> None:
    with closing(KeptEstimates(path)) as estimates:
        estimates.observe(seen(1))
        assert file.latest() == []
        estimates.flush()
        estimates.flush()
        assert file.latest() == [seen(1)]


def test_many_observations_are_written_before_anybody_asks(path: Path, file: Observations) -> None:
    with closing(KeptEstimates(path)) as estimates:
        for n in range(700):
            estimates.observe(seen(n))
        assert len(file.latest()) >= 500


def test_without_a_file_they_are_learned_all_the_same() -> None:
    estimates = KeptEstimates()
    for n in range(30):
        estimates.observe(seen(n))
    estimates.flush()
    estimates.close()
    assert estimates.seconds(offer("x")) == pytest.approx(5.0, rel=0.1)


def test_a_broken_file_costs_nothing_but_what_was_in_it(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"not a database" * 1000)
    with caplog.at_level(logging.WARNING), closing(KeptEstimates(path)) as estimates:
        for n in range(700):
            estimates.observe(seen(n))
        estimates.flush()
        assert estimates.seconds(offer("x")) == pytest.approx(5.0, rel=0.1)
    assert "not kept" in caplog.text
    assert len(caplog.records) == 1


def test_a_file_that_breaks_while_it_is_used_costs_nothing_else(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), closing(KeptEstimates(path)) as estimates:
        with closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE observation")
        estimates.observe(seen(1))
        estimates.flush()
        estimates.observe(seen(2))
        estimates.flush()
    assert len(caplog.records) == 1
