"""What is worse than it must be, or than it was."""

from collections.abc import Iterator

from evals.report import Report, SuiteReport


def violations(report: Report) -> list[str]:
    """A sentence for each score that is not what it has to be."""
    return [line for suite in report.suites for line in _violations(suite)]


def declines(report: Report, baseline: Report) -> list[str]:
    """A sentence for each score that fell beyond its tolerance, in suites that both reports have.

    Raises ValueError where one report is short and the other is not.
    """
    if report.short != baseline.short:
        raise ValueError("a short report is compared with short ones only")
    before = {s.suite: s for s in baseline.suites}
    return [line for s in report.suites if s.suite in before for line in _declines(s, before[s.suite])]


def _violations(suite: SuiteReport) -> Iterator[str]:
    for label, row in suite.judged.items():
        for measure in suite.measures:
            value = row.get(measure.name)
            if measure.must_be is not None and value is not None and value != measure.must_be:
                must = f"and must be {measure.must_be:g}"
                yield f"{suite.suite}: {measure.name} of {label!r} is {value:g}, {must}"


def _declines(suite: SuiteReport, before: SuiteReport) -> Iterator[str]:
    for label, old in before.judged.items():
        new = suite.rows.get(label)
        if new is None:
            yield f"{suite.suite}: {label!r} is no longer measured"
            continue
        for measure in suite.measures:
            was, now = old.get(measure.name), new.get(measure.name)
            if was is None:
                continue
            if now is None:
                if measure.better is not None:
                    yield f"{suite.suite}: {measure.name} of {label!r} can no longer be told; it was {was:g}"
            elif measure.is_worse(now, was):
                shown = f"{measure.shown(was)} to {measure.shown(now)}"
                yield f"{suite.suite}: {measure.name} of {label!r} went from {shown}"
