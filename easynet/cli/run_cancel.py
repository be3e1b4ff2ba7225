"""Ending a run that another process works on."""

import time
from typing import Final

from easynet.agents.run_account import RunAccount
from easynet.agents.wording import answer_option, go_on, status_label
from easynet.core.errors import RunBusy, UsageError
from easynet.core.ids import RunId
from easynet.core.language import Language, say
from easynet.execution.journal import SqliteJournal

_PATIENCE_S: Final = 30.0
"""How long to wait for the process that works on a run: writing down its end may take it some seconds."""
_LOOKS_EVERY_S: Final = 0.05


def cancel_run(journal: SqliteJournal, run: RunId, patience_s: float = _PATIENCE_S) -> str:
    """Have a run cancelled, and say so once nobody works on it any longer.

    Raises UsageError where it is not cancelled in the end, because it had ended or nobody works on it, and
    RunBusy where the process that works on it does not react.
    """
    was_at_work = journal.ask_to_cancel(run)
    gives_up_at = time.monotonic() + patience_s
    while was_at_work and journal.is_claimed(run):
        if time.monotonic() > gives_up_at:
            raise _no_reaction(run, patience_s, _account(journal, run).language)
        time.sleep(_LOOKS_EVERY_S)
    account = _account(journal, run)
    language = account.language
    if account.finished is None:
        raise UsageError(
            say(
                language,
                f"nothing works on run {run}: it was interrupted",
                f"没有进程在执行运行 {run}：它已中断",
            ),
            hint=_goes_on(account),
        )
    if account.finished.status != "cancelled":
        how = status_label(account.finished.status, language)
        over = say(language, f"run {run} was over already: {how.lower()}", f"运行 {run} 早已结束：{how}")
        raise UsageError(over, hint=_goes_on(account))
    words = ("cancelled", "已取消") if was_at_work else ("had been cancelled already", "早已取消")
    return f"{run} {say(language, *words)}\n{_goes_on(account)}".rstrip()


def _account(journal: SqliteJournal, run: RunId) -> RunAccount:
    return RunAccount.of(journal.events(run))


def _goes_on(account: RunAccount) -> str:
    """How to go on with it; "" where there is nothing left to do."""
    status, problem = (
        (account.finished.status, account.finished.problem) if account.finished else (None, None)
    )
    how = go_on(
        account.run_id,
        status,
        problem,
        account.language,
        plan=account.graph,
        answer=answer_option(account),
    )
    return f"{how.words}{how.command}" if how else problem.hint if problem else ""


def _no_reaction(run: RunId, patience_s: float, language: Language) -> RunBusy:
    return RunBusy(
        say(
            language,
            f"the process that works on run {run} has not reacted for {patience_s:g} seconds",
            f"执行运行 {run} 的进程在 {patience_s:g} 秒内没有反应",
        ),
        hint=say(
            language,
            "It stops as soon as it can. Ctrl-C where it runs ends it, too; twice ends it at once.",
            "它会尽快停止。也可以在它所在的终端按 Ctrl-C；按两次会立即结束。",
        ),
    )
