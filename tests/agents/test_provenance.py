"""Where a plan came from, as people are told."""

import pytest

from easynet.agents.provenance import assumptions, passed_over, provenance, worth_saying
from easynet.agents.run_account import RunAccount
from easynet.core.events import PassedOver


@pytest.mark.parametrize(
    ("planner", "runs", "en", "zh"),
    [
        ("experience", 3, "planned as 3 similar past runs were", "参照 3 次相似的历史运行规划"),
        ("experience", 1, "planned as 1 similar past run was", "参照 1 次相似的历史运行规划"),
        ("experience", 0, "planned from what past runs taught", "根据历史运行的经验规划"),
        ("catalogue", 0, "planned from what the functions say they do", "根据功能说明规划"),
        ("by hand", 0, "planned by by hand", "由 by hand 规划"),
        ("", 0, "", ""),
    ],
)
def test_the_planner_is_named_in_both_languages(planner: str, runs: int, en: str, zh: str) -> None:
    account = RunAccount(planner=planner, similar_runs=runs)
    assert provenance(account, "en") == en
    assert provenance(account, "zh") == zh
    assert worth_saying(account) is (planner not in ("", "catalogue"))


def test_who_was_passed_over_is_told_with_the_reason() -> None:
    others = [PassedOver(planner="experience", status="unsupported", why="2 past runs are too few to go by")]
    assert passed_over(others, "en") == ["past runs: 2 past runs are too few to go by"]
    others = [PassedOver(planner="m", status="timed_out", why="30 秒内没有给出计划")]
    assert passed_over(others, "zh") == ["m：30 秒内没有给出计划"]


def test_what_was_assumed_is_told_with_how_to_change_it() -> None:
    account = RunAccount(assumed={"harbour": "Lindau"})
    [sentence] = assumptions(account, "en")
    assert '"Lindau"' in sentence
    assert "--input harbour=VALUE" in sentence
    assert "--input harbour=取值" in assumptions(account, "zh")[0]
