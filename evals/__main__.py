"""Run suites of evals: `python -m evals [SUITE ...] [--json] [--compare REPORT] [--html FILE] [--short]`.

`python -m evals add RUN` makes a case of a run.
"""

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from evals import add
from evals.comparison import declines, violations
from evals.page import page
from evals.report import Report
from evals.suites import SUITES, measured
from evals.terminal import show

_OTHERS: Final = ("plans", "languages", "learning", "cost")
"""Suites that take long or measure time, with options of their own: `python -m evals plans --help`."""


def main(argv: Sequence[str]) -> int:
    """The exit code: 0 where all is as it must be, 1 where it is not, 2 where the call is wrong."""
    if argv and argv[0] == "add":
        return add.main(argv[1:])
    if argv and argv[0] in _OTHERS:
        sys.argv = [f"python -m evals {argv[0]}", *argv[1:]]
        runpy.run_module(f"evals.{argv[0]}", run_name="__main__", alter_sys=True)
        return 0
    parser = argparse.ArgumentParser(prog="python -m evals", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}; by default all")
    parser.add_argument("--short", action="store_true", help="a part of each suite, in seconds")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page, with plots")
    parser.add_argument("--compare", type=Path, metavar="REPORT", help="fail where a score fell")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.suites if name not in SUITES]:
        parser.error(f"there is no suite {unknown[0]!r}; there are {', '.join((*SUITES, *_OTHERS))}")
    baseline = _read(parser, options.compare, short=options.short) if options.compare else None
    report = measured(options.suites or [*SUITES], options.short)
    if options.json:
        sys.stdout.write(report.dumped())
    else:
        show(report.suites)
    if options.html:
        options.html.write_text(page(report), encoding="utf-8")
    wrong = violations(report) + (declines(report, baseline) if baseline else [])
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def _read(parser: argparse.ArgumentParser, path: Path, *, short: bool) -> Report:
    try:
        baseline = Report.loaded(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        parser.error(f"cannot compare with {path}: {error}")
    if baseline.short != short:
        parser.error(f"{path} was made {'with' if baseline.short else 'without'} --short")
    return baseline


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
