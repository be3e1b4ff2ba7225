"""Exit codes, and errors as sentences."""

import sys
import traceback

from easynet.core import errors
from easynet.core.errors import EasyNetError
from easynet.core.result import RunResult

SUCCEEDED, BUG, USAGE, NOBODY, ANSWER_NEEDED, OVER_BUDGET, RUN_FAILED, UNREACHABLE = range(8)
CANCELLED = 130

_BY_FAMILY: tuple[tuple[type[EasyNetError], int], ...] = (
    (errors.InvalidIntent, NOBODY),
    (errors.UsageError, USAGE),
    (errors.SettingsError, USAGE),
    (errors.InputNeeded, ANSWER_NEEDED),
    (errors.PlanningError, NOBODY),
    (errors.ModelError, NOBODY),
    (errors.PlacementError, NOBODY),
    (errors.MoneyError, OVER_BUDGET),
    (errors.GatewayError, UNREACHABLE),
    (errors.NodeError, RUN_FAILED),
    (errors.RunError, RUN_FAILED),
)


def exit_code(error: EasyNetError | type[EasyNetError]) -> int:
    """The exit code of an error, by its family."""
    kind = error if isinstance(error, type) else type(error)
    return next((code for family, code in _BY_FAMILY if issubclass(kind, family)), RUN_FAILED)


def _classes(family: type[EasyNetError]) -> list[type[EasyNetError]]:
    return [family, *(c for sub in family.__subclasses__() for c in _classes(sub))]


def result_exit_code(result: RunResult) -> int:
    """The exit code of a finished run, by its status and the code of its problem."""
    match result.status:
        case "succeeded":
            return SUCCEEDED
        case "cancelled":
            return CANCELLED
        case "needs_input":
            return ANSWER_NEEDED
        case "over_budget":
            return OVER_BUDGET
        case "infeasible":
            return NOBODY
        case "failed":
            code = result.problem.code if result.problem else ""
            if code == "bug":
                return BUG
            by_code = {c.code: exit_code(c) for c in _classes(EasyNetError)}
            return by_code.get(code, RUN_FAILED)


def explain(error: Exception) -> int:
    """Print an error on stderr for a person, and return its exit code."""
    if isinstance(error, EasyNetError):
        print(f"easynet: {error.message}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return exit_code(error)
    traceback.print_exception(error, file=sys.stderr)
    print("easynet: this is a mistake in EasyNet; please report it with the lines above.", file=sys.stderr)
    return BUG
