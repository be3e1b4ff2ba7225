"""Where a plan came from, in the user's language."""

import json
from collections.abc import Sequence

from easynet.agents.run_account import RunAccount
from easynet.core.events import PassedOver
from easynet.core.language import Language, say

_BY_WORDS, _BY_RUNS = "catalogue", "experience"
_NAMES = {_BY_WORDS: ("descriptions", "功能说明"), _BY_RUNS: ("past runs", "历史运行")}


def provenance(account: RunAccount, language: Language) -> str:
    """ "planned as 3 similar past runs were"; "" where there is no plan."""
    runs = account.similar_runs
    if account.planner == _BY_RUNS and runs:
        en = f"planned as {runs:,} similar past run{'s were' if runs != 1 else ' was'}"
        return say(language, en, f"参照 {runs:,} 次相似的历史运行规划")
    if account.planner == _BY_RUNS:
        return say(language, "planned from what past runs taught", "根据历史运行的经验规划")
    if account.planner == _BY_WORDS:
        return say(language, "planned from what the functions say they do", "根据功能说明规划")
    return account.planner and say(language, f"planned by {account.planner}", f"由 {account.planner} 规划")


def assumptions(account: RunAccount, language: Language) -> list[str]:
    """A sentence for each input that the user did not give, and how to give it."""
    told = ((name, json.dumps(value, ensure_ascii=False)) for name, value in account.assumed.items())
    return [
        say(
            language,
            f"As in earlier runs, {name} is {value}. Another value is given with --input {name}=VALUE.",
            f"沿用以往运行的取值：{name} 为 {value}；可用 --input {name}=取值 更改。",
        )
        for name, value in told
    ]


def worth_saying(account: RunAccount) -> bool:
    """Whether a plan did not simply come from the functions' descriptions."""
    return account.planner not in ("", _BY_WORDS)


def passed_over(others: Sequence[PassedOver], language: Language) -> list[str]:
    """Who was asked before and did not serve, and why: "past runs: 2 past runs are too few to go by"."""
    colon = say(language, ": ", "：")
    return [f"{say(language, *_NAMES.get(o.planner, (o.planner, o.planner)))}{colon}{o.why}" for o in others]
