"""Everything that can go wrong, ordered by who has to act.

    EasyNetError                code (stable slug), retryable, hint (the next step, or "")
    ├── UsageError              the caller: InvalidIntent, InvalidQuantity, UnknownInput, InvalidModel,
    │                           UnknownFunction, ArgumentMismatch, BadData, RunNotFound, RunBusy,
    │                           JobNotFound, JobCancelled, ReceiptInvalid
    ├── SettingsError           the operator: DataDirectoryUnusable, MissingExtra, ServerNotStarted
    ├── InputNeeded             whoever asked: a question has to be answered first
    ├── PlanningError           the planner: Unsupported, PlanningTimedOut, PlanRejected
    ├── ModelError              the language model: ModelUnavailable, ModelRateLimited, ModelTruncated,
    │                           ModelRefused
    ├── PlacementError          nobody can do it: NoNodeFound, Infeasible
    ├── MoneyError              the budget: OverBudget
    ├── GatewayError            the way in: GatewayUnreachable, AccessDenied, TokenRejected
    ├── NodeError               the remote side: NodeUnreachable, NotStarted, NodeRefused, Overloaded,
    │                           PrivacyBreach, NameTaken, BadFrame, VersionMismatch, CallTimeout,
    │                           OutcomeUnknown, Unencodable, FunctionCrashed, WrongResult, RemoteFailure
    └── RunError                the run: SubtaskFailed, QualityNotMet, NotApproved, DeadlinePassed

`docs/errors.md` is made from this tree and maps each family to an exit code.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from os import PathLike, fspath
from types import MappingProxyType
from typing import Self

from easynet.core.error_titles import TITLES_ZH
from easynet.core.language import Language, has_han, say
from easynet.core.relaxation import Relaxation


class EasyNetError(Exception):
    """The base of every error that EasyNet raises on purpose."""

    code = "easynet_error"
    """A stable slug, for programs."""
    retryable = False
    """True where the same call may succeed elsewhere or later."""
    relaxations: tuple[Relaxation, ...] = ()
    """Where limits are in the way: those that would do, each on its own, the least change first."""

    def __init__(self, message: str = "", *, hint: str = "", zh: str = "", hint_zh: str = "") -> None:
        """`zh` and `hint_zh` say the same in Chinese, where whoever raises it does not know the reader."""
        super().__init__(message or (self.__doc__ or "").splitlines()[0])
        self.hint = hint
        """What to do next, as a sentence; empty where nothing helps."""
        self._zh, self._hint_zh = zh, hint_zh

    @property
    def message(self) -> str:
        return str(self.args[0])

    def in_language(self, language: Language) -> tuple[str, str]:
        """The message and the hint. Chinese says at least of what kind it is, where it has no more words."""
        if language == "en":
            return self.message, self.hint
        return self._zh or self._titled_zh(), self._hint_zh or self.hint

    def _titled_zh(self) -> str:
        """The message after its kind; a question, and what a function wrote in Chinese, stay as they are."""
        if has_han(self.message):
            return self.message
        if isinstance(self, InputNeeded):
            return self.message
        codes = (kind.code for kind in type(self).__mro__ if issubclass(kind, EasyNetError))
        title = next(TITLES_ZH[code] for code in codes if code in TITLES_ZH)
        return f"{title}：{self.message}"


def nearest(name: str, known: Sequence[str], language: Language = "en") -> str:
    """A hint that names the known words closest to `name`, or "" where none is close."""
    near = [repr(word) for word in get_close_matches(name, known, n=3, cutoff=0.6)]
    if not near:
        return ""
    return say(language, f"Did you mean {' or '.join(near)}?", f"是否想写 {' 或 '.join(near)}？")


# ── the caller ──────────────────────────────────────────────────────────────────────────────────


class UsageError(EasyNetError):
    """The request cannot be understood as it stands."""

    code = "usage"


class InvalidIntent(UsageError):
    """The intent has no words to act on."""

    code = "invalid_intent"


class InvalidQuantity(UsageError):
    """A quantity such as a budget or a deadline is not in an accepted form."""

    code = "invalid_quantity"


class UnknownInput(UsageError):
    """An input was given that no part of the plan takes."""

    code = "unknown_input"


class InvalidModel(UsageError):
    """A language model is not named in an accepted form, or its address is not safe to use."""

    code = "invalid_model"


class UnknownFunction(UsageError):
    """No node offers a function of that name."""

    code = "unknown_function"


class ArgumentMismatch(UsageError):
    """The arguments do not fit the function's parameters."""

    code = "argument_mismatch"


class BadData(UsageError):
    """The data given cannot be used: missing, empty, of the wrong kind or shape."""

    code = "bad_data"


class RunNotFound(UsageError):
    """No run of that id is in the journal."""

    code = "run_not_found"


class RunBusy(UsageError):
    """Another process is working on that run."""

    code = "run_busy"


class JobNotFound(UsageError):
    """This client has submitted no job of that id, or it is long over."""

    code = "job_not_found"


class JobCancelled(UsageError):
    """The job was cancelled, so it has no result."""

    code = "job_cancelled"


class ReceiptInvalid(UsageError):
    """A receipt was changed, or was not signed by the node that it names."""

    code = "receipt_invalid"


# ── the operator ────────────────────────────────────────────────────────────────────────────────


class SettingsError(EasyNetError):
    """This installation or its settings need attention."""

    code = "settings"


class DataDirectoryUnusable(SettingsError):
    """EasyNet's data directory cannot be written."""

    code = "data_directory_unusable"

    @classmethod
    def at(cls, path: PathLike[str], error: Exception) -> Self:
        """The error for something under the data directory that could not be used because of `error`."""
        return cls(
            f"cannot use {fspath(path)}: {getattr(error, 'strerror', None) or error}",
            hint="Free some space or make it writable, or name another folder with EASYNET_DATA_DIR.",
        )


class MissingExtra(SettingsError):
    """A library that this function needs is not installed."""

    code = "missing_extra"


class ServerNotStarted(SettingsError):
    """The embedded NATS server did not start."""

    code = "server_not_started"


# ── questions ───────────────────────────────────────────────────────────────────────────────────


class InputNeeded(EasyNetError):
    """A question has to be answered before the work can go on.

    A contributed function may raise it: the run then asks `question`, and the answer becomes the
    intent's input `name`, which the function receives as the argument of that name.
    """

    code = "input_needed"

    def __init__(self, name: str, question: str, choices: Sequence[str] = ()) -> None:
        super().__init__(question)
        self.name = name
        self.choices = tuple(choices)


# ── the planner, the market, the money ──────────────────────────────────────────────────────────


class PlanningError(EasyNetError):
    """No plan could be made."""

    code = "planning"


class Unsupported(PlanningError):
    """Nothing on this network does what was asked."""

    code = "unsupported"


class PlanningTimedOut(PlanningError):
    """No plan was found in the time that planning may take."""

    code = "planning_timed_out"
    retryable = True


class PlanRejected(PlanningError):
    """A plan breaks the rules; `problems` says which subtask and why."""

    code = "plan_rejected"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems), zh=f"计划不合规则：{'; '.join(problems)}")
        self.problems = tuple(problems)


class ModelError(EasyNetError):
    """A language model gave no answer that can be used."""

    code = "model"
    tokens: Mapping[str, int] = MappingProxyType({})
    """What the call took all the same, by the fields of `Usage`; empty where that is not known."""
    may_have_cost = False
    """Whether the server may have worked on an answer without telling what it took."""


class ModelUnavailable(ModelError):
    """The model's server cannot be reached, turns this key away, or fails."""

    code = "model_unavailable"

    def __init__(
        self,
        message: str = "",
        *,
        passing: bool = False,
        hint: str = "",
        zh: str = "",
        hint_zh: str = "",
    ) -> None:
        """`passing` says that the same call may succeed in a moment."""
        super().__init__(message, hint=hint, zh=zh, hint_zh=hint_zh)
        self.retryable = passing


class ModelRateLimited(ModelError):
    """The model's server takes no more requests for now."""

    code = "model_rate_limited"
    retryable = True

    def __init__(
        self,
        message: str = "",
        *,
        retry_after_s: float | None = None,
        hint: str = "",
        zh: str = "",
        hint_zh: str = "",
    ) -> None:
        super().__init__(message, hint=hint, zh=zh, hint_zh=hint_zh)
        self.retry_after_s = retry_after_s
        """After how many seconds the server asks to be tried again; None where it has not said."""


class ModelTruncated(ModelError):
    """The model's answer was longer than it may be."""

    code = "model_truncated"


class ModelRefused(ModelError):
    """The model declined to answer."""

    code = "model_refused"


class PlacementError(EasyNetError):
    """No node can do it under the requirements."""

    code = "placement"


class NoNodeFound(PlacementError):
    """No reachable node offers a function that the plan needs."""

    code = "no_node_found"


class Infeasible(PlacementError):
    """No choice of nodes meets the deadline."""

    code = "infeasible"


class MoneyError(EasyNetError):
    """The money does not suffice."""

    code = "money"


class OverBudget(MoneyError):
    """The work costs more than the budget allows."""

    code = "over_budget"


# ── the way in and the remote side ──────────────────────────────────────────────────────────────


class GatewayError(EasyNetError):
    """The gateway did not do its part."""

    code = "gateway"


class GatewayUnreachable(GatewayError):
    """No gateway answers at that address."""

    code = "gateway_unreachable"
    retryable = True


class AccessDenied(GatewayError):
    """This device may not do that on this network."""

    code = "access_denied"


class TokenRejected(GatewayError):
    """A token was used already, has expired, or was not made by this gateway."""

    code = "token_rejected"


class NodeError(EasyNetError):
    """A node did not deliver."""

    code = "node"
    retryable = True


class NodeUnreachable(NodeError):
    """The node went away before it answered."""

    code = "node_unreachable"


class NotStarted(NodeUnreachable):
    """Nobody took the call, so it can go elsewhere without being done twice."""

    code = "not_started"


class NodeRefused(NodeError):
    """The node would not take the call."""

    code = "node_refused"


class PrivacyBreach(NodeRefused):
    """Private data was about to go to a node that may not see it, and did not."""

    code = "privacy_breach"

    @classmethod
    def at(cls, node: str, function: str) -> Self:
        """The error for a call with private arguments that does not go to this node."""
        return cls(
            f"{function} has private arguments, and {node} is neither your own node nor one that you trust",
            hint="Name it in EASYNET_TRUSTED_NODES if you trust it; `easynet nodes` shows who is trusted.",
            zh=f"{function} 的参数是私密的，而 {node} 既不是您自己的节点，也不是您信任的节点",
            hint_zh="若信任该节点，请把它写入 EASYNET_TRUSTED_NODES；`easynet nodes` 显示各节点的信任程度。",
        )


class Overloaded(NodeError):
    """The node has as much to do as it accepts."""

    code = "overloaded"

    def __init__(self, message: str = "", *, retry_after_s: float = 1.0, hint: str = "") -> None:
        super().__init__(message, hint=hint or f"Try again in {retry_after_s:.2g} s.")
        self.retry_after_s = retry_after_s


class NameTaken(NodeError):
    """Another node of that name is on this network already."""

    code = "name_taken"
    retryable = False


class BadFrame(NodeError):
    """A message is not one that EasyNet sends, or of another version."""

    code = "bad_frame"
    retryable = False


class VersionMismatch(NodeError):
    """The two sides run versions of EasyNet, or of the function, that do not fit together."""

    code = "version_mismatch"
    retryable = False


class VersionSkewWarning(UserWarning):
    """The two sides of a call run different versions of EasyNet, which fit together so far."""


class CallTimeout(NodeError):
    """The call did not finish in the time given to it."""

    code = "call_timeout"


class OutcomeUnknown(NodeError):
    """The call may or may not have had its effect, and is not sent again, for it must not have it twice."""

    code = "outcome_unknown"
    retryable = False


class Unencodable(NodeError):
    """A value cannot travel: it has no form that is safe to send."""

    code = "unencodable"
    retryable = False


class FunctionCrashed(NodeError):
    """The process of an isolated function ended before the function did."""

    code = "function_crashed"


class WrongResult(NodeError):
    """A function's result is not what it promises, or not what other nodes come to."""

    code = "wrong_result"


class RemoteFailure(NodeError):
    """The function itself raised; its type, message and traceback came back as text."""

    code = "remote_failure"

    def __init__(self, remote_type: str, remote_message: str, remote_traceback: str = "") -> None:
        super().__init__(f"{remote_type}: {remote_message}")
        self.remote_type = remote_type
        self.remote_message = remote_message
        self.remote_traceback = remote_traceback
        if remote_traceback:
            self.add_note(f"On the node:\n{remote_traceback}")


# ── the run ─────────────────────────────────────────────────────────────────────────────────────


class RunError(EasyNetError):
    """The run did not reach its goal."""

    code = "run"


class SubtaskFailed(RunError):
    """A subtask failed on every node that could do it."""

    code = "subtask_failed"


class QualityNotMet(RunError):
    """The work is done, but a measured quality misses what was asked for."""

    code = "quality_not_met"


class NotApproved(RunError):
    """A step that a person has to agree to was about to run without that."""

    code = "not_approved"


class DeadlinePassed(RunError):
    """The time given to the run is over."""

    code = "deadline_passed"
