"""What a suite measured: rows of scores, and how far each may fall before a change counts as worse."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

_DIGITS = 6
"""Figures are kept to so many digits behind the point, so that two runs are equal byte by byte."""

Figure = float | int | None
"""A score's value; None where the row does not have it."""


@dataclass(frozen=True)
class Measure:
    """A kind of score, the same for all rows of a suite."""

    name: str
    """The column's head, and the key in JSON: a few words, such as `success` or `waste`."""
    better: Literal["higher", "lower"] | None = None
    """Where good values lie; None for what is only told."""
    tolerance: float = 0.0
    """The share of the baseline's value by which it may be worse."""
    slack: float = 0.0
    """By how much it may be worse besides, in the score's own unit."""
    must_be: float | None = None
    """What it has to be in every row that is judged, whatever the baseline has."""
    digits: int = 2
    """Shown behind the point."""
    unit: str = ""
    """Shown behind the value, such as `%` or `s`."""

    def shown(self, value: Figure) -> str:
        """The value as tables show it."""
        return "–" if value is None else f"{value:,.{self.digits}f}{self.unit}"

    def is_worse(self, value: float, baseline: float) -> bool:
        """Whether a value falls short of the baseline's beyond what is tolerated."""
        if self.better is None:
            return False
        room = abs(baseline) * self.tolerance + self.slack + 10.0**-_DIGITS
        return value < baseline - room if self.better == "higher" else value > baseline + room


@dataclass(frozen=True)
class Plot:
    """Values to be drawn, as `bars` over names or as `lines` over numbers."""

    title: str
    kind: Literal["bars", "lines"]
    x: str
    """What the horizontal axis is."""
    y: str
    """What the vertical axis is, with its unit."""
    series: Mapping[str, Sequence[tuple[float | str, float]]]
    """Points by the name of their line, or of their colour of bar."""
    is_log: bool = False
    """The vertical axis has equal steps for equal ratios."""


@dataclass(frozen=True)
class SuiteReport:
    """What one suite measured."""

    suite: str
    """Its name on the command line."""
    title: str
    """What it shows, as a sentence."""
    measures: tuple[Measure, ...]
    rows: Mapping[str, Mapping[str, Figure]]
    """Scores by the row's label, in the order in which they are shown."""
    baselines: tuple[str, ...] = ()
    """Labels of the rows that are there to be compared with; nothing is demanded of these."""
    notes: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def judged(self) -> Mapping[str, Mapping[str, Figure]]:
        """The rows of which something is demanded."""
        return {label: row for label, row in self.rows.items() if label not in self.baselines}


@dataclass(frozen=True)
class Report:
    """What the suites of one call of `python -m evals` measured."""

    suites: tuple[SuiteReport, ...] = ()
    short: bool = False
    """Made with `--short`: to be compared with short ones only."""
    version: int = field(default=1)
    """Of this form."""

    def dumped(self) -> str:
        """The report as JSON: the same text for the same figures."""
        return json.dumps(_rounded(asdict(self)), ensure_ascii=False, indent=1, allow_nan=False) + "\n"

    @classmethod
    def loaded(cls, text: str) -> Self:
        """What `dumped` gave. Raises ValueError where it is something else."""
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("version") != cls().version:
            raise ValueError("this is no report of evals of this version")
        try:
            suites = tuple(_suite(s) for s in found["suites"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"this report of evals is damaged: {error}") from error
        return cls(suites, bool(found.get("short")))


def _suite(found: dict[str, Any]) -> SuiteReport:
    known = {name: found[name] for name in ("suite", "title", "rows")}
    return SuiteReport(
        **known,
        measures=tuple(Measure(**m) for m in found["measures"]),
        baselines=tuple(found["baselines"]),
        notes=tuple(found["notes"]),
        plots=tuple(Plot(**p) for p in found["plots"]),
    )


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, _DIGITS) + 0.0  # no negative zero
        case dict():
            return {key: _rounded(part) for key, part in value.items()}
        case list() | tuple():
            return [_rounded(part) for part in value]
        case _:
            return value
